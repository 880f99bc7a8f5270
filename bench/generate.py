#!/usr/bin/env python3
"""Generates a large text-like problem: rows are documents, columns are words.

Column popularity follows Zipf's law, counts are geometric, and y depends on 200 of the more popular columns plus noise.
The default is the problem on which memory is measured: 200,000 rows, 2,000,000 columns, 40 million non-zeros. The same
arguments give the same files. Written in blocks of rows, so memory stays far below the size of the matrix but for .npz,
whose parts are held once (NumPy writes a zip member at a time).

    python3 generate.py FOLDER [--format npz|mtx|svm] [--rows N] [--columns P] [--nonzeros NNZ] [--seed S]

FOLDER gets X.npz (or X.mtx, X.svm) and y.txt, one number a line.
"""

import argparse
import io
import os
import zipfile

import numpy as np

BLOCK_ROWS = 2000


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--format", choices=["npz", "mtx", "svm"], default="npz")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=2_000_000)
    parser.add_argument("--nonzeros", type=int, default=40_000_000)
    parser.add_argument("--values", choices=["counts", "float32", "float64"], default="float64",
                        help="counts 1, 2, ...; else tf-idf-like weights in that precision")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Words:
    """Draws distinct words for documents: P(word of rank r) ~ 1 / (r + 10)."""

    def __init__(self, columns, random):
        weight = 1.0 / (np.arange(columns) + 10.0)
        self.cumulative = np.cumsum(weight)
        self.cumulative /= self.cumulative[-1]
        self.column_of_rank = random.permutation(columns).astype(np.int32)  # popular words everywhere in the file
        self.columns = columns

    def draw(self, lengths, random):
        """Rows (within the block) and columns of exactly lengths[i] distinct words for each row i, sorted."""
        wanted = np.array(lengths)
        keys = np.empty(0, np.int64)
        missing = wanted.copy()
        while missing.sum() > 0:
            rows = np.repeat(np.arange(len(wanted)), missing)
            ranks = np.searchsorted(self.cumulative, random.random(len(rows)))
            ranks = np.minimum(ranks, self.columns - 1)
            fresh = rows.astype(np.int64) * self.columns + self.column_of_rank[ranks]
            keys = np.union1d(keys, fresh)
            missing = wanted - np.bincount(keys // self.columns, minlength=len(wanted))
        return (keys // self.columns).astype(np.int32), (keys % self.columns).astype(np.int32)


def blocks(options):
    """Yields (first row, offsets of the rows, columns, values, responses)."""
    random = np.random.default_rng(options.seed)
    words = Words(options.columns, random)
    signal = np.zeros(options.columns)
    strong = words.column_of_rank[random.choice(min(5000, options.columns), min(200, options.columns), replace=False)]
    signal[strong] = random.standard_normal(len(strong))
    rows = options.rows
    # Document lengths: log-normal, at least 1, summing to the number of non-zeros asked for.
    length = np.exp(random.normal(0.0, 0.6, rows))
    length = np.minimum(length * options.nonzeros / length.sum(), options.columns / 4)
    cumulative = np.floor(np.cumsum(length) * (options.nonzeros / length.sum()) + 0.5).astype(np.int64)
    lengths = np.maximum(np.diff(cumulative, prepend=0), 1)
    idf = None
    for first in range(0, rows, BLOCK_ROWS):
        counts = lengths[first : first + BLOCK_ROWS]
        row, column = words.draw(counts, random)
        value = random.geometric(0.7, len(column)).astype(np.float64)
        if options.values != "counts":
            if idf is None:
                idf = np.empty(options.columns)
                idf[words.column_of_rank] = np.log(np.arange(options.columns) + 11.0)
            value = (1 + np.log(value)) * idf[column]
            norm = np.sqrt(np.bincount(row, value * value, minlength=len(counts)))
            value = (value / norm[row]).astype(options.values)
        y = np.bincount(row, value * signal[column], minlength=len(counts))
        y = y + 0.1 * random.standard_normal(len(counts))
        yield first, np.concatenate([[0], np.cumsum(counts)]), column, value, y


def write_npz(path, options, y_file):
    indices, values, indptr = [], [], [np.zeros(1, np.int64)]
    for _, offsets, column, value, y in blocks(options):
        indices.append(column)
        values.append(value)
        indptr.append(offsets[1:] + indptr[-1][-1])
        np.savetxt(y_file, y, fmt="%.17g")
    offsets = np.concatenate(indptr)
    parts = {
        "format": np.array(b"csr"),
        "shape": np.array([options.rows, options.columns], np.int64),
        "indptr": offsets.astype(np.int32 if offsets[-1] < 2**31 else np.int64),
        "indices": indices,
        "data": values,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, part in parts.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                if not isinstance(part, list):
                    np.lib.format.write_array(member, np.asanyarray(part))
                    continue
                head = io.BytesIO()
                np.lib.format.write_array_header_1_0(
                    head, {"descr": np.lib.format.dtype_to_descr(part[0].dtype), "fortran_order": False,
                           "shape": (int(offsets[-1]),)})
                member.write(head.getvalue())
                while part:
                    member.write(part.pop(0).tobytes())


def write_mtx(path, options, y_file):
    body = path + ".body"
    total = 0
    with open(body, "w") as file:
        for first, offsets, column, value, y in blocks(options):
            row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) + first + 1
            np.savetxt(file, np.column_stack([row, column + 1, value]), fmt="%d %d %.17g")
            np.savetxt(y_file, y, fmt="%.17g")
            total += len(column)
    with open(path, "w") as file, open(body) as source:
        file.write(f"%%MatrixMarket matrix coordinate real general\n{options.rows} {options.columns} {total}\n")
        while part := source.read(1 << 20):
            file.write(part)
    os.remove(body)


def write_svm(path, options, y_file):
    with open(path, "w") as file:
        for _, offsets, column, value, y in blocks(options):
            for i in range(len(y)):
                at = slice(offsets[i], offsets[i + 1])
                entries = " ".join(f"{c + 1}:{v:.17g}" for c, v in zip(column[at].tolist(), value[at].tolist()))
                file.write(f"{y[i]:.17g} {entries}\n")
            np.savetxt(y_file, y, fmt="%.17g")


def main():
    options = parse()
    os.makedirs(options.folder, exist_ok=True)
    path = os.path.join(options.folder, "X." + options.format)
    with open(os.path.join(options.folder, "y.txt"), "w") as y_file:
        {"npz": write_npz, "mtx": write_mtx, "svm": write_svm}[options.format](path, options, y_file)
    print(f"{path}: {os.path.getsize(path) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
