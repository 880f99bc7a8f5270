"""Three generated families of text-like problems for compare.py: text, tall and wide.

Rows are documents and columns are words. A word of rank r is drawn with probability proportional to 1 / (r + shift),
which is Zipf's law with a flattened head; ranks are spread over the columns at random, as in a real dictionary. Values
are tf-idf weights, (1 + ln count) times an inverse popularity, and each row is scaled to unit length. The response is a
combination of 200 words among the 5,000 most popular, with standard normal weights, plus noise of half the signal's
standard deviation. Rows are made in blocks: memory is that of the non-zeros, never n x p.

The same name, scale and NumPy generator give the same problem everywhere. `scale` shortens both sides (and the pool of
popular words), and keeps the non-zeros of a row, so that a small problem is of the same kind.
"""

import os
import sys

import numpy as np
import scipy.sparse as sp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from generate import Words  # noqa: E402  (draws distinct words for documents)

BLOCK_ROWS = 2000
TRUE_FEATURES = 200
POPULAR = 5000
NOISE = 0.5  # standard deviation of the noise over that of the signal


class Family:
    """`row` draws make a document: distinct words with geometric counts, or with repetition, which are then counts."""

    def __init__(self, name, rows, columns, row, repeated, shift, seed):
        self.name, self.rows, self.columns, self.row = name, rows, columns, row
        self.repeated, self.shift, self.seed = repeated, shift, seed

    def sizes(self, scale):
        rows, columns = max(50, round(self.rows * scale)), max(250, round(self.columns * scale))
        # A document of more than a tenth of all words would be no text any more.
        return rows, columns, min(self.row, columns // 10)


FAMILIES = {
    family.name: family
    for family in (
        Family("text", 20_000, 50_000, 80, False, shift=10, seed=11),
        Family("tall", 300_000, 10_000, 30, False, shift=10, seed=12),
        # A flatter head, so that 2,000 draws hit some 1,700 distinct words: 6.8 million non-zeros.
        Family("wide", 4_000, 400_000, 2_000, True, shift=50, seed=13),
    )
}


def block_of_words(family, words, rows, row, random):
    """Rows, columns and counts of a block of documents."""
    if not family.repeated:
        i, j = words.draw(np.full(rows, row), random)
        return i, j, random.geometric(0.7, len(j))
    ranks = np.searchsorted(words.cumulative, random.random(rows * row))
    j = words.column_of_rank[np.minimum(ranks, words.columns - 1)]
    keys, counts = np.unique(np.repeat(np.arange(rows, dtype=np.int64), row) * words.columns + j, return_counts=True)
    return (keys // words.columns).astype(np.int32), (keys % words.columns).astype(np.int32), counts


def generate(name, scale=1.0):
    """X in compressed columns and y."""
    family = FAMILIES[name]
    rows, columns, row = family.sizes(scale)
    random = np.random.default_rng(family.seed)
    words = Words(columns, random)
    words.cumulative = np.cumsum(1.0 / (np.arange(columns) + family.shift))
    words.cumulative /= words.cumulative[-1]
    rarity = np.empty(columns)
    rarity[words.column_of_rank] = np.log(np.arange(columns) + 1.0 + family.shift)

    blocks = []
    for first in range(0, rows, BLOCK_ROWS):
        count = min(BLOCK_ROWS, rows - first)
        i, j, counts = block_of_words(family, words, count, row, random)
        value = (1 + np.log(counts)) * rarity[j]
        value /= np.sqrt(np.bincount(i, value**2, minlength=count))[i]
        blocks.append(sp.csr_matrix((value, (i, j)), shape=(count, columns)))
    X = sp.vstack(blocks, format="csr")
    del blocks

    pool = min(columns, max(TRUE_FEATURES, round(POPULAR * scale)))
    beta = np.zeros(columns)
    beta[words.column_of_rank[random.choice(pool, TRUE_FEATURES, replace=False)]] = random.standard_normal(TRUE_FEATURES)
    signal = X @ beta
    y = signal + NOISE * signal.std() * random.standard_normal(rows)
    X = X.tocsc()
    X.sort_indices()
    return X, y
