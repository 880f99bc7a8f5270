#!/usr/bin/env python3
"""Packs the data set of quickstart.sh: words of Debian package descriptions against the installed size.

    python3 tests/data/make_debian_sample.py FOLDER

FOLDER holds debian_tfidf.svm.gz and debian_tfidf_vocab.txt.gz, which were made from the package lists of Debian 12
(main, updates, security) in this way:

 1. One row for every fifth package of the sorted list of those with a description and an installed size.
 2. The words of its English description, short and long, in lower case, two letters and more. URLs, host names, e-mail
    addresses, version numbers and names of hosting sites are taken out first.
 3. One column for each word that at least five of these packages use, in alphabetical order.
 4. x_ij = count · (1 + ln((1 + n) / (1 + packages that use the word))), each row divided by its 2-norm, five digits.
 5. y_i = natural logarithm of the installed size in KiB, the label of the row.

The numbers are kept as they are, digit for digit; here they are checked and packed smaller, into debian_tfidf.svm.xz
and debian_tfidf_words.txt beside this script.
"""

import gzip
import hashlib
import lzma
import pathlib
import sys

SOURCES = {
    "debian_tfidf.svm.gz": "0c1df2a8f118869707ba3efeefa585e57df488cf8d5a585ba4e36bc0ae9ba57c",
    "debian_tfidf_vocab.txt.gz": "1798f6850d6f2bcc2e46a17177ef7b8f2fb35bfb57bdaed8d7c55b464badff5b",
}


def unpacked(folder: pathlib.Path, name: str) -> bytes:
    packed = (folder / name).read_bytes()
    if hashlib.sha256(packed).hexdigest() != SOURCES[name]:
        sys.exit(f"{folder / name} is not the file that this script was written for (its SHA-256 differs)")
    return gzip.decompress(packed)


def check(rows: bytes, words: list[bytes]) -> None:
    """One-based, ascending, within the vocabulary, every word used, every row of unit length."""
    used = set()
    lines = rows.splitlines()
    for number, line in enumerate(lines, 1):
        cells = [cell.split(b":") for cell in line.split()[1:]]
        columns = [int(column) for column, _ in cells]
        assert columns == sorted(set(columns)) and columns[0] >= 1 and columns[-1] <= len(words), number
        assert abs(sum(float(value) ** 2 for _, value in cells) - 1) < 1e-3, number
        used.update(columns)
    assert len(used) == len(words)
    print(f"{len(lines)} rows, {len(words)} columns, {sum(line.count(b':') for line in lines)} non-zeros")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1])
    target = pathlib.Path(__file__).parent
    rows = unpacked(source, "debian_tfidf.svm.gz")
    words = unpacked(source, "debian_tfidf_vocab.txt.gz")
    check(rows, words.splitlines())
    (target / "debian_tfidf.svm.xz").write_bytes(lzma.compress(rows, preset=9 | lzma.PRESET_EXTREME))
    (target / "debian_tfidf_words.txt").write_bytes(words)


main()
