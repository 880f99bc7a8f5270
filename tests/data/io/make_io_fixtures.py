#!/usr/bin/env python3
"""Writes one awkward matrix in every format the readers know, and what SciPy (NumPy for CSV) reads back from each file:
`<file>.expected`, a line `rows columns entries`, then a line `row column value` (0-based, hexadecimal double) for each
non-zero by columns; for svmlight the responses follow, a line each."""
import os

import numpy as np
import scipy.io
import scipy.sparse as sp
from sklearn.datasets import load_svmlight_file

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20240229)
N, P = 37, 23


def path(name):
    return os.path.join(HERE, name)


def awkward_matrix():
    A = np.zeros((N, P))
    mask = rng.random((N, P)) < 0.3
    A[mask] = rng.standard_normal(mask.sum())
    A[:, 3] = 1                                            # full, all ones
    A[:, 4] = rng.integers(1, 256, N)                      # full, bytes
    A[:, 5] = 0                                            # empty
    A[:, 6] = np.float32(rng.standard_normal(N))           # full, float32
    A[:, 7] = (rng.random(N) < 0.5).astype(float)          # 0/1
    A[:, 8] = np.where(rng.random(N) < 0.4, 256.0, 0.0)    # one above a byte
    A[0:6, 9] = [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1e-300, 0.1, 1 / 3]
    A[6:12, 9] = [123456789012345678, 9007199254740993, -0.5, 1e22, 1e23, 8.41e21]
    A[11, :] = 0                                           # empty row
    A[:, P - 1] = 0
    A[2, P - 1] = 7                                        # last column has one entry
    return A


def hexadecimal(value):
    return float(value).hex()


def expect(name, matrix, y=None):
    C = sp.csc_matrix(matrix).astype(float)
    C.sum_duplicates()
    C.eliminate_zeros()
    with open(path(name + ".expected"), "w", encoding="ascii") as out:
        out.write(f"{C.shape[0]} {C.shape[1]} {C.nnz}\n")
        for j in range(C.shape[1]):
            for k in range(C.indptr[j], C.indptr[j + 1]):
                out.write(f"{C.indices[k]} {j} {hexadecimal(C.data[k])}\n")
        for value in [] if y is None else y:
            out.write(hexadecimal(value) + "\n")


def write(name, text):
    with open(path(name), "w", encoding="utf-8", newline="") as out:
        out.write(text)


def matrix_market(A):
    rows, cols = np.nonzero(A)
    order = rng.permutation(len(rows))

    def coordinate(name, header, entries, size=None):
        write(name, f"%%MatrixMarket matrix coordinate {header}\n% made by make_io_fixtures.py\n\n{size or f'{N} {P}'} "
              f"{len(entries)}\n" + "".join(entries))
        expect(name, scipy.io.mmread(path(name)))

    coordinate("real.mtx", "real general", [f"{rows[k] + 1} {cols[k] + 1} {A[rows[k], cols[k]]!r}\n" for k in order])
    whole = np.rint(A.clip(-1e6, 1e6) * 10)
    r, c = np.nonzero(whole)
    coordinate("integer.mtx", "integer general", [f" {i + 1}\t{j + 1}  {int(whole[i, j]):+d} \n" for i, j in zip(r, c)])
    coordinate("pattern.mtx", "pattern general", [f"{i + 1} {j + 1}\n" for i, j in zip(rows, cols)])
    S = np.tril(A[:P, :P])
    r, c = np.nonzero(S)
    coordinate("symmetric.mtx", "real symmetric", [f"{i + 1} {j + 1} {S[i, j]!r}\n" for i, j in zip(r, c)], f"{P} {P}")
    write("array.mtx", f"%%MatrixMarket matrix array real general\n{N} {P}\n" + "".join(f"{v!r}\n" for v in A.T.ravel()))
    expect("array.mtx", sp.coo_matrix(scipy.io.mmread(path("array.mtx"))))


def svmlight(A):
    y = rng.standard_normal(N)

    def rows(base):
        lines = []
        for i in range(N):
            entries = [f"{j + base}:{A[i, j]!r}" for j in np.nonzero(A[i])[0]]
            lines.append(f"{y[i]!r} " + " ".join(entries))
        return lines

    lines = rows(1)
    write("one_based.svm", "\n".join(lines) + "\n")
    lines[4] += " # a comment 9:9"
    lines.insert(7, "# a line of its own")
    lines.insert(9, "  ")
    lines[12] = "+" + lines[12].lstrip("-") if not lines[12].startswith("-") else lines[12]
    write("untidy.svm", "\ufeff" + "\r\n".join(lines))      # byte order mark, CRLF, no last line end
    write("zero_based.svm", "\n".join(rows(0)) + "\n")
    write("query.svm", "\n".join(line.replace(" ", f" qid:{k // 5} ", 1) for k, line in enumerate(rows(1))) + "\n")
    for name, zero in (("one_based.svm", False), ("zero_based.svm", True), ("query.svm", False)):
        X, z = load_svmlight_file(path(name), n_features=P, zero_based=zero)
        expect(name, X, z)
    X, z = load_svmlight_file(path("one_based.svm"), n_features=P, zero_based=False)
    expect("untidy.svm", X, z)                              # scikit-learn knows no byte order mark


def npz(A):
    whole = np.rint(A.clip(-12, 12) * 10)
    cases = {
        "csr.npz": (sp.csr_matrix(A), np.int32, True),
        "csc.npz": (sp.csc_matrix(A), np.int64, True),
        "csr_stored.npz": (sp.csr_matrix(A), np.int64, False),
        "csr_float32.npz": (sp.csr_matrix(A.clip(-1e30, 1e30).astype(np.float32)), np.int32, True),
        "csc_int8.npz": (sp.csc_matrix(whole.astype(np.int8)), np.int32, True),
        "csr_int64.npz": (sp.csr_matrix(whole.astype(np.int64)), np.int32, True),
        "csc_bool.npz": (sp.csc_matrix(A != 0), np.int32, True),
        "csr_zeros.npz": (sp.csr_matrix(A), np.int32, True),
    }
    for name, (M, index, compressed) in cases.items():
        if name == "csr_zeros.npz":
            M.data[::5] = 0                                 # explicit zeros
        M.indices = M.indices.astype(index)
        M.indptr = M.indptr.astype(index)
        sp.save_npz(path(name), M, compressed=compressed)
        expect(name, sp.load_npz(path(name)))


def csv(A):
    names = ['"the, first"' if j == 0 else f"x{j}" for j in range(P)]
    body = [[repr(v) for v in row] for row in A.tolist()]
    write("names.csv", ",".join(names) + "\n" + "".join(",".join(row) + "\n" for row in body))
    write("plain.csv", "".join(", ".join(row) + "\r\n" for row in body) + "\r\n\r\n")
    write("semicolon.csv", "\ufeff" + ";".join(names) + "\n" + "\n".join(";".join(row) for row in body))
    write("tab.csv", "".join("\t".join(row) + "\n" for row in body))
    for name, separator, skip in (("names.csv", ",", 1), ("plain.csv", ",", 0), ("semicolon.csv", ";", 1), ("tab.csv", "\t", 0)):
        expect(name, sp.csr_matrix(np.loadtxt(path(name), delimiter=separator, skiprows=skip, encoding="utf-8-sig")))


MATRIX = awkward_matrix()
matrix_market(MATRIX)
svmlight(MATRIX)
npz(MATRIX)
csv(MATRIX)
