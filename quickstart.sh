#!/usr/bin/env bash
# From a bare Debian 12 to a fitted path: installs what is missing, builds the program, fits a Lasso and a Ridge path on
# the words of Debian's package descriptions (tests/data/README.md) and shows them side by side. Works from any
# directory; everything it writes is in build/quickstart. It may be run again.
cd "$(dirname "$(readlink -f "$0")")"
source scripts/common.sh

out=$PWD/build/quickstart
data=tests/data/debian_tfidf.svm.xz
words=tests/data/debian_tfidf_words.txt
mkdir -p "$out"

say "1/3 Packages"
install_missing "${build_packages[@]}"
after_install=$SECONDS

say "2/3 Build of the program"
quietly "$out/configure.log" cmake --preset release -B "$out/build" -DPROXPATH_BUILD_TESTS=OFF \
    -DPROXPATH_BUILD_BENCHMARKS=OFF -DPROXPATH_WERROR=OFF
cmake --build "$out/build" --target proxpath_program || fail "the build failed"
program=$out/build/proxpath
after_build=$SECONDS

# The rows of the data are tf-idf vectors of length 1, so the columns share a scale already: --no-standardize. Ridge is
# fitted at the lambdas of the Lasso, so that the two can be compared line by line.
say "3/3 Two paths: which words go with large packages, which with small ones?"
"$program" fit "$data" --alpha 1 --no-standardize --lambda-min-ratio 0.01 --out "$out/lasso" --force
awk -F, 'NR > 1 { print $1 }' "$out/lasso/path.csv" >"$out/lambdas.txt"
echo
echo "Ridge at the same lambdas, for comparison line by line (by default it would start a thousand times higher):"
"$program" fit "$data" --alpha 0 --no-standardize --lambda "@$out/lambdas.txt" --out "$out/ridge" --force
after_fit=$SECONDS

export LC_ALL=C # decimal points, and the order of sort
columns="12 34 56 78 100"

# strongest DIR: for each chosen lambda the words with the largest coefficients of either sign.
strongest() {
    awk -v columns="$columns" '
        BEGIN { n = split(columns, each, " "); for (i = 1; i <= n; ++i) chosen[each[i]] = 1 }
        FILENAME ~ /words/ { word[FNR] = $1; next }
        /^%/ { next }
        !seen_sizes { seen_sizes = 1; next }
        $2 in chosen { print $2, ($3 > 0 ? "+" : "-"), ($3 > 0 ? $3 : -$3), word[$1] }
    ' "$words" "$1/coefficients.mtx" | sort -k1,1n -k2,2 -k3,3gr -k4,4 | awk -v path="$1/path.csv" '
        BEGIN { while ((getline line < path) > 0) { split(line, cell, ","); lambda[row++] = cell[1] } }
        function show() {
            if (column == "") return
            printf "  lambda %.3g\n    larger  %s\n    smaller %s\n", lambda[column], text["+"], text["-"]
        }
        $1 != column { show(); column = $1; text["+"] = text["-"] = ""; count["+"] = count["-"] = 0 }
        ++count[$2] <= 6 { text[$2] = text[$2] sprintf(" %s %s%.2f ", $4, $2, $3) }
        END { show() }'
}

# entries DIR: for each lambda, coefficients in the file and the smallest of them.
entries() {
    awk '/^%/ { next }
        !seen_sizes { seen_sizes = 1; p = $1; k = $2; next }
        { size = $3 < 0 ? -$3 : $3; ++count[$2]; if (!($2 in least) || size < least[$2]) least[$2] = size }
        END { for (j = 1; j <= k; ++j) print j, p - count[j], (j in least) ? least[j] : "-" }' "$1/coefficients.mtx"
}

say "Strongest words (change of ln KiB installed, for a description of that word alone)"
echo "Lasso"
strongest "$out/lasso"
echo "Ridge"
strongest "$out/ridge"

say "Coefficients that are exactly zero, of $(wc -l <"$words")"
{
    entries "$out/lasso" | sed 's/^/lasso /'
    entries "$out/ridge" | sed 's/^/ridge /'
} | awk -v columns="$columns" -v path="$out/path.csv" -v lambdas="$out/lambdas.txt" '
    BEGIN { while ((getline line < lambdas) > 0) lambda[++rows] = line }
    { zeros[$1, $2] = $3; least[$1, $2] = $4 }
    END {
        print "      lambda       Lasso       Ridge    smallest |coefficient| of Ridge"
        n = split("1 " columns, each, " ")
        for (i = 1; i <= n; ++i) {
            k = each[i]
            printf "%12.4g %11d %11d    %.1e\n", lambda[k], zeros["lasso", k], zeros["ridge", k], least["ridge", k]
        }
    }'
echo
echo "The Lasso takes the same amount from every coefficient, so small ones reach zero; Ridge takes a share, so none does."
echo
echo "Seconds: packages $after_install, build $((after_build - after_install)), both paths $((after_fit - after_build)). All figures: $out/lasso and $out/ridge."
echo "Your own data: $program fit --help"
