#!/usr/bin/env python3
"""Writes the corpus of files that must be refused, and expectations.tsv: file, kind, line, fragment of the message.

kind: design = read as a design matrix, y = read as a response, y_length = a good vector of 7 numbers, one more than
any design here has rows. Line 0: no single line is at fault. Run it from anywhere; the files lie beside it.
"""
import gzip
import io
import lzma
import os
import zipfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = []


def put(name, content, line, fragment, kind="design"):
    if isinstance(content, str):
        content = content.encode()
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(content)
    EXPECTED.append((name, kind, str(line), fragment))


def zst(content):
    """A zstd frame of one raw block: enough to be cut off, and needs no zstd module."""
    assert len(content) < 1 << 17
    block = (len(content) << 3 | 1).to_bytes(3, "little") + content
    return b"\x28\xb5\x2f\xfd\xa0" + len(content).to_bytes(4, "little") + block


def svmlight():
    good = "1 1:1 3:2\n2 2:1\n"
    put("empty.svm", "", 0, "no rows")
    put("only_comments.svm", "# nothing\n\n# here\n", 0, "no rows")
    put("no_features.svm", "1\n2\n", 0, "no row has a feature")
    put("negative_index.svm", good + "3 -4:1\n", 3, "feature index '-4' is negative")
    put("huge_index.svm", good + "3 9007199254740993:1\n", 3, "too large; 2^53")
    put("overflowing_index.svm", good + "3 99999999999999999999999:1\n", 3, "too large; 2^53")
    put("index_beyond_memory.svm", good + "3 4000000000000:1\n", 3, "memory available")
    put("nan_value.svm", good + "\n# so far so good\n3 1:nan\n", 5, "'nan' is not a finite number")
    put("inf_value.svm", good + "3 1:-Infinity\n", 3, "'-Infinity' is not a finite number")
    put("overflowing_value.svm", good + "3 1:1e400\n", 3, "'1e400' is too large for a double")
    put("nan_response.svm", "nan 1:1\n", 1, "'nan' is not a finite number")
    put("text_response.svm", good + "spam 1:1\n", 3, "expected a response (a number), found 'spam'")
    put("no_response.svm", good + "1:1 2:2\n", 3, "expected a response (a number), found '1:1'")
    put("two_responses.svm", "1,2 1:1\n", 1, "found '1,2'")
    put("missing_colon.svm", good + "3 4\n", 3, "expected index:value, found '4'")
    put("missing_value.svm", good + "3 4: 5:1\n", 3, "expected a value, found ''")
    put("bad_value.svm", good + "3 4:1x\n", 3, "expected a value, found '1x'")
    put("two_signs.svm", good + "3 4:+-1\n", 3, "expected a value, found '+-1'")
    put("hexadecimal.svm", good + "3 4:0x10\n", 3, "expected a value, found '0x10'")
    put("decimal_comma.svm", good + "3 4:1,5\n", 3, "expected a value, found '1,5'")
    put("fractional_index.svm", good + "3 1.5:1\n", 3, "expected index:value, found '1.5:1'")
    put("bad_qid.svm", good + "3 qid:x 1:1\n", 3, "expected qid:integer, found 'qid:x'")
    put("duplicate_ascending.svm", good + "3 4:1 4:2\n", 3, "feature index 4 occurs twice")
    put("duplicate_unordered.svm", good + "3 4:1 2:5 7:1 4:2\n", 3, "feature index 4 occurs twice")
    put("carriage_return_only.svm", "1 1:1\r2 1:2\r", 1, "expected index:value, found '2'")
    put("lowest_line_wins.svm", "1 1:1\n2 1:x\n" + "3 1:1\n" * 50 + "4 -1:1\n", 2, "found 'x'")
    put("binary.svm", bytes(range(256)) * 8, 1, "the line holds a NUL byte")
    put("nul_bytes.svm", b"1 1:1\n" + b"\0" * 4000, 2, "the line holds a NUL byte")
    put("utf16.svm", good.encode("utf-16"), 1, "UTF-16")
    put("late_error.svm", good * 3000 + "1 1:bad\n", 6001, "found 'bad'")
    long_text = (good * 2000).encode()
    put("truncated.svm.gz", gzip.compress(long_text, mtime=0)[:-30], 0, "damaged or cut off")
    put("truncated.svm.xz", lzma.compress(long_text)[:-40], 0, "damaged or cut off")
    put("truncated.svm.zst", zst(good.encode() * 50)[:-20], 0, "damaged or cut off")
    damaged = bytearray(lzma.compress(np.random.default_rng(1).bytes(20).hex().encode() + long_text))
    damaged[40] ^= 0xff
    put("damaged.svm.xz", bytes(damaged), 0, "damaged or cut off")
    put("not_gzip.svm.gz", good, 0, "not gzip data")
    put("not_xz.svm.xz", good, 0, "not xz data")
    put("empty.svm.gz", b"", 0, "the file is empty")
    put("empty_inside.svm.gz", gzip.compress(b"", mtime=0), 0, "no rows")
    put("bad_inside.svm.gz", gzip.compress(long_text + b"7 0x1:1\n", mtime=0), 4001, "found '0x1:1'")


def matrix_market():
    head = "%%MatrixMarket matrix coordinate real general\n"
    put("empty.mtx", "", 0, "the file is empty")
    put("no_header.mtx", "3 3 1\n1 1 1\n", 1, "does not begin with '%%MatrixMarket'")
    put("short_header.mtx", "%%MatrixMarket matrix coordinate real\n3 3 1\n1 1 1\n", 1, "the header is not")
    put("vector_object.mtx", "%%MatrixMarket vector coordinate real general\n3 1\n1 1\n", 1, "object is 'vector'")
    put("unknown_format.mtx", "%%MatrixMarket matrix sparse real general\n3 3 1\n1 1 1\n", 1, "format is 'sparse'")
    put("complex.mtx", "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n", 1, "field 'complex' is not supported")
    put("hermitian.mtx", "%%MatrixMarket matrix coordinate real hermitian\n1 1 1\n1 1 1\n", 1, "symmetry 'hermitian' is not supported")
    put("skew.mtx", "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 1\n", 1, "symmetry 'skew-symmetric' is not supported")
    put("pattern_array.mtx", "%%MatrixMarket matrix array pattern general\n1 1\n1\n", 1, "an array cannot be a pattern")
    put("symmetric_array.mtx", "%%MatrixMarket matrix array real symmetric\n1 1\n1\n", 1, "not supported for arrays")
    put("no_sizes.mtx", head + "% only a comment\n", 0, "before its sizes")
    put("two_sizes.mtx", head + "3 3\n1 1 1\n", 2, "expected three counts")
    put("negative_size.mtx", head + "3 -3 1\n1 1 1\n", 2, "negative '-3'")
    put("negative_entries.mtx", head + "3 3 -1\n", 2, "negative '-1'")
    put("too_many_rows.mtx", head + "4294967296 3 1\n1 1 1\n", 2, "4294967296 rows; 2^32 - 1 is the limit")
    put("too_many_columns.mtx", head + "% wide\n3 1000000000000000 1\n1 1 1\n", 3, "memory available")
    put("overflowing_size.mtx", head + "3 99999999999999999999 1\n1 1 1\n", 2, "too large; 2^53")
    put("huge_array.mtx", "%%MatrixMarket matrix array real general\n4294967295 4294967295\n1\n", 2, "too large")
    put("declared_too_many.mtx", head + "3 3 4\n1 1 1\n2 2 1\n3 3 1\n", 2, "4 entries are declared, but the file ends after 3")
    put("declared_absurdly_many.mtx", head + "3 3 9007199254740992\n1 1 1\n", 2, "the file ends after 1")
    put("declared_too_few.mtx", head + "3 3 2\n1 1 1\n\n2 2 1\n3 3 1\n", 6, "more entries than the 2 declared on line 2")
    put("row_too_large.mtx", head + "3 3 2\n1 1 1\n4 2 1\n", 4, "row index '4' is larger than the declared 3")
    put("column_too_large.mtx", head + "3 3 2\n1 1 1\n2 4 1\n", 4, "column index '4' is larger than the declared 3")
    put("zero_index.mtx", head + "3 3 2\n1 1 1\n0 2 1\n", 4, "row index is 0; indices start at 1")
    put("negative_index.mtx", head + "3 3 2\n1 1 1\n2 -1 1\n", 4, "column index '-1' is negative")
    put("huge_index.mtx", head + "3 3 1\n18446744073709551617 1 1\n", 3, "larger than the declared 3")
    put("fractional_index.mtx", head + "3 3 1\n1.0 1 1\n", 3, "expected a row index, found '1.0'")
    put("missing_value.mtx", head + "3 3 1\n1 1\n", 3, "expected a value, found the end of the line")
    put("extra_value.mtx", head + "3 3 1\n1 1 1 0\n", 3, "expected the end of the line, found '0'")
    put("pattern_with_value.mtx", head.replace("real", "pattern") + "3 3 1\n1 1 1\n", 3, "expected the end of the line, found '1'")
    put("integer_with_fraction.mtx", head.replace("real", "integer") + "3 3 1\n1 1 1.5\n", 3, "is no integer")
    put("nan.mtx", head + "3 3 1\n1 1 NaN\n", 3, "'NaN' is not a finite number")
    put("overflowing_value.mtx", head + "3 3 1\n1 1 -1e400\n", 3, "too large for a double")
    put("fortran_exponent.mtx", head + "3 3 1\n1 1 1.0D+01\n", 3, "found '1.0D+01'")
    put("duplicate.mtx", head + "3 3 4\n1 1 1\n2 2 1\n3 3 1\n2 2 5\n", 6, "row 2, column 2 is given a second time, after line 4")
    put("duplicate_in_full_column.mtx", head + "3 2 4\n1 1 1\n2 1 1\n1 1 1\n2 2 5\n", 5, "row 1, column 1 is given a second time, after line 3")
    put("duplicate_mirrored.mtx", head.replace("general", "symmetric") + "3 3 2\n2 1 1\n1 2 1\n", 4, "is given a second time, after line 3")
    put("symmetric_rectangle.mtx", head.replace("general", "symmetric") + "3 2 1\n2 1 1\n", 2, "cannot have 3 rows and 2 columns")
    array = "%%MatrixMarket matrix array real general\n"
    put("array_short.mtx", array + "2 2\n1\n2\n3\n", 2, "4 values are declared, but the file ends after 3")
    put("array_long.mtx", array + "2 2\n1\n2\n3\n4\n5\n", 7, "more values than the 4")
    put("array_blank.mtx", array + "2 2\n1\n\n3\n4\n", 4, "expected a value, found the end of the line")
    put("array_two_a_line.mtx", array + "2 2\n1 2\n3 4\n", 3, "expected the end of the line, found '2'")
    body = "".join(f"{i} {j} {i * j}\n" for i in range(1, 41) for j in range(1, 41)).encode()
    put("truncated.mtx.gz", gzip.compress(head.encode() + b"40 40 1600\n" + body, mtime=0)[:-200], 0, "damaged or cut off")


def csv():
    good = "a,b,c\n1,2,3\n4,5,6\n"
    put("empty.csv", "", 0, "the file is empty")
    put("header_only.csv", "a,b,c\n", 0, "no rows")
    put("blank_first.csv", "\n1,2\n", 1, "the first line is blank")
    put("short_row.csv", good + "7,8\n", 4, "2 cells, where the first line has 3")
    put("long_row.csv", good + "7,8,9,10\n", 4, "more than the 3 cells")
    put("empty_cell.csv", good + "7,,9\n", 4, "column 2 ('b') is empty")
    put("empty_last_cell.csv", good + "7,8,\n", 4, "column 3 ('c') is empty")
    put("empty_cell_first_line.csv", "1,,3\n4,5,6\n", 1, "column 2 is empty")
    put("text_cell.csv", good + "7,eight,9\n", 4, "column 2 ('b'): expected a number, found 'eight'")
    put("na_cell.csv", good + "7,8,NA\n", 4, "column 3 ('c'): expected a number, found 'NA'")
    put("nan_cell.csv", good + "7,nan,9\n", 4, "column 2 ('b'): the value 'nan' is not a finite number")
    put("inf_cell.csv", "1,2\n3,-inf\n", 2, "column 2: the value '-inf' is not a finite number")
    put("overflow_cell.csv", "1,2\n3,1e999\n", 2, "too large for a double")
    put("blank_line.csv", good + "\n7,8,9\n", 4, "the line is blank")
    put("open_quote.csv", '"a,b\n1,2\n', 1, "not closed on this line")
    put("after_quote.csv", '"a"x,b\n1,2\n', 1, "text after a closing quote")
    put("decimal_comma.csv", "a;b\n1,5;2\n", 2, "column 1 ('a'): expected a number, found '1,5'")
    put("binary.csv", b"a,b\n1,2\n\x7fELF\x02\x01\n", 3, "found '\\x7fELF\\x02\\x01'")


def npy(array):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), version=(1, 0))
    return out.getvalue()


def npz(members, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), content, compression)
    return out.getvalue()


def matrix_members(**changes):
    members = {
        "indices": npy(np.array([0, 2, 1], np.int32)),
        "indptr": npy(np.array([0, 2, 2, 3], np.int32)),
        "format": npy(np.array(b"csr")),
        "shape": npy(np.array([3, 3], np.int64)),
        "data": npy(np.array([1.0, 2.0, 3.5])),
    }
    for name, content in changes.items():
        if content is None:
            del members[name]
        else:
            members[name] = content if isinstance(content, bytes) else npy(content)
    return members


def declared(kind, count):
    """A header that promises `count` numbers, and nothing behind it."""
    text = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }" % (kind, count)
    text += " " * (117 - len(text)) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def npz_files():
    full = npz(matrix_members())
    put("empty.npz", b"", 0, "no .npz")
    put("garbage.npz", b"PK\x03\x04 but then not a zip archive at all" * 10, 0, ":")
    put("text.npz", "1 1:1\n", 0, "no .npz")
    put("truncated.npz", full[: len(full) // 2], 0, ":")
    put("truncated_one_byte.npz", npz(matrix_members(), zipfile.ZIP_STORED)[:300], 0, ":")
    bad = bytearray(npz(matrix_members(), zipfile.ZIP_STORED))
    at = bytes(bad).index(np.float64(3.5).tobytes())
    bad[at + 7] ^= 1
    put("wrong_checksum.npz", bytes(bad), 0, "member data.npy: the compressed data are damaged")
    for name in ("indices", "indptr", "format", "shape", "data"):
        put(f"without_{name}.npz", npz(matrix_members(**{name: None})), 0, f"member {name}.npy: the archive has no such member")
    put("coo_format.npz", npz(matrix_members(format=np.array(b"coo"))), 0, "format 'coo' is not supported")
    put("number_format.npz", npz(matrix_members(format=np.array(3))), 0, "member format.npy: expected one text")
    put("three_shapes.npz", npz(matrix_members(shape=np.array([3, 3, 1]))), 0, "member shape.npy: expected two numbers, found 3")
    put("negative_shape.npz", npz(matrix_members(shape=np.array([-3, 3]))), 0, "member shape.npy: -3 rows")
    put("many_rows.npz", npz(matrix_members(shape=np.array([2**32, 3]))), 0, "4294967296 rows")
    put("many_columns.npz", npz(matrix_members(shape=np.array([3, 2**50]))), 0, "memory available")
    put("short_indptr.npz", npz(matrix_members(indptr=np.array([0, 2, 3], np.int32))), 0, "member indptr.npy: 3 items")
    put("late_indptr.npz", npz(matrix_members(indptr=np.array([1, 2, 2, 3], np.int32))), 0, "item 0 is 1, not 0")
    put("descending_indptr.npz", npz(matrix_members(indptr=np.array([0, 2, 1, 3], np.int32))), 0, "item 2 is 1, less than the 2 before it")
    put("negative_indptr.npz", npz(matrix_members(indptr=np.array([0, -2, 1, 3], np.int32))), 0, "item 1 is -2, less than")
    put("long_indptr_end.npz", npz(matrix_members(indptr=np.array([0, 2, 2, 4], np.int32))), 0, "indices.npy: 3 items, where indptr ends at 4")
    put("short_data.npz", npz(matrix_members(data=np.array([1.0, 2.0]))), 0, "member data.npy: 2 items, where indptr ends at 3")
    put("index_too_large.npz", npz(matrix_members(indices=np.array([0, 3, 1], np.int32))), 0, "member indices.npy, entry 1: the index 3 is outside the 3 columns")
    put("index_negative.npz", npz(matrix_members(indices=np.array([0, 2, -1], np.int64))), 0, "member indices.npy, entry 2: the index -1")
    put("index_unsigned_huge.npz", npz(matrix_members(indices=np.array([0, 2, 2**64 - 1], np.uint64))), 0, "entry 2: the index -1")
    put("nan.npz", npz(matrix_members(data=np.array([1.0, np.nan, 2.0]))), 0, "member data.npy, entry 1: the value is nan")
    put("inf.npz", npz(matrix_members(data=np.array([1.0, 2.0, np.inf], np.float32))), 0, "member data.npy, entry 2: the value is inf")
    put("inexact_integer.npz", npz(matrix_members(data=np.array([1, 2**53 + 1, 2]))), 0, "entry 1: the integer is beyond 2^53")
    put("duplicate.npz", npz(matrix_members(indices=np.array([2, 2, 1], np.int32))), 0, "entry 1: row 0, column 2 is given a second time")
    put("complex.npz", npz(matrix_members(data=np.array([1j, 2, 3]))), 0, "the type '<c16' is not supported")
    put("big_endian.npz", npz(matrix_members(data=np.array([1, 2, 3], ">f8"))), 0, "big-endian")
    put("float_indices.npz", npz(matrix_members(indices=np.array([0.0, 1.0, 2.0]))), 0, "member indices.npy: expected integers")
    put("two_dimensions.npz", npz(matrix_members(data=np.ones((1, 3)))), 0, "expected an array of one dimension")
    put("object_data.npz", npz(matrix_members(data=declared("|O", 3))), 0, "the type '|O' is not supported")
    put("no_npy.npz", npz(matrix_members(data=b"just text, no array")), 0, "member data.npy: the member is no NumPy array")
    put("cut_npy.npz", npz(matrix_members(data=declared("<f8", 3)[:40])), 0, "the array header is cut off")
    put("evil_npy.npz", npz(matrix_members(data=declared("<f8", "__import__('os')"))), 0, "is not NumPy's")
    put("version_npy.npz", npz(matrix_members(data=b"\x93NUMPY\x09\x00" + bytes(100))), 0, "version 9.0")
    put("lying_npy.npz", npz(matrix_members(data=declared("<f8", 3) + bytes(16))), 0, "ends after 2 of 3 declared items")
    put("longer_npy.npz", npz(matrix_members(data=declared("<f8", 3) + b"\0\0\0\0\0\0\xf0\x3f" * 4)), 0, "more bytes than the 3 declared")
    put("overflow_npy.npz", npz(matrix_members(data=declared("<f8", 2**62))), 0, "declared size overflows")
    put("huge_npy.npz", npz(matrix_members(shape=np.array([2**32 - 1, 3]), indptr=declared("<i8", 2**32))), 0, "member indptr.npy:")
    bomb = matrix_members(shape=np.array([3, 3]), indices=declared("<i4", 3) + bytes(12) + bytes(20_000_000))
    bomb["indptr"] = npy(np.array([0, 1, 2, 3]))
    put("bomb.npz", npz(bomb), 0, "member indices.npy: more bytes than the 3 declared")


def vectors():
    put("empty_y.txt", "", 0, "the file is empty", "y")
    put("text_y.txt", "1\n2\nthree\n", 3, "expected a number, found 'three'", "y")
    put("two_a_line_y.txt", "1\n2 3\n", 2, "expected one number on the line, found '3'", "y")
    put("nan_y.txt", "1\nnan\n", 2, "'nan' is not a finite number", "y")
    put("inf_y.txt", "1\n2\ninf\n", 3, "'inf' is not a finite number", "y")
    put("overflow_y.txt", "1\n1e309\n", 2, "too large for a double", "y")
    put("blank_y.txt", "1\n\n2\n", 2, "the line is blank", "y")
    put("blank_first_y.txt", "\n1\n", 1, "a blank line", "y")
    put("binary_y.txt", b"\x01\x02\x03\x00", 1, "the line holds a NUL byte", "y")
    put("coordinate_y.mtx", "%%MatrixMarket matrix coordinate real general\n3 1 1\n1 1 1\n", 1, "has to be a Matrix Market array", "y")
    put("two_columns_y.mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n", 2, "one column; this array has 2", "y")
    put("short_y.mtx", "%%MatrixMarket matrix array real general\n3 1\n1\n2\n", 2, "3 values are declared", "y")
    put("long_y.mtx", "%%MatrixMarket matrix array real general\n2 1\n1\n2\n3\n", 5, "more values than the 2", "y")
    put("truncated_y.txt.gz", gzip.compress("".join(f"{i * 0.7}\n" for i in range(900)).encode(), mtime=0)[:-300], 0, "damaged or cut off", "y")
    put("other_length_y.txt", "".join(f"{i}\n" for i in range(7)), 0, "7", "y_length")


svmlight()
matrix_market()
csv()
npz_files()
vectors()
with open(os.path.join(HERE, "expectations.tsv"), "w", encoding="utf-8") as out:
    out.write("# file\tkind\tline\tfragment of the message; made by make_malformed.py\n")
    for row in EXPECTED:
        out.write("\t".join(row) + "\n")
print(len(EXPECTED), "files")
