"""Writes wordnet.json, wordnet_small/ and statistics.json: python3 tests/golden/prototype_cases.py (NLTK, scikit-learn,
SciPy; Debian's package wordnet-base).

wordnet.json contains NLTK's Wu-Palmer similarities: of pairs of nouns of WordNet 3.0 as in /usr/share/wordnet, of all
pairs of CIFAR-100's classes (rows of the upper triangle, with the synsets of class_meanings.cpp), and of all pairs of
the synsets of wordnet_small/. The latter is a synthetic database with several roots, synsets with several hypernyms at
different depths, ties and instances. NLTK reads it once as version 3.0 and once as 1.6, for which it simulates a root.
statistics.json contains Calinski-Harabasz indices, correlations and principal components, with their data."""
import json
import pathlib
import random
import re
import shutil
import tempfile
import warnings

import nltk
import numpy as np
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score

FOLDER = pathlib.Path(__file__).parent
DEBIAN = pathlib.Path("/usr/share/wordnet")
PAIRS = """dog.n.01 cat.n.01; dog.n.01 dog.n.01; chef.n.01 fireman.n.01; fireman.n.01 chef.n.01; car.n.01 bicycle.n.01;
tree.n.01 forest.n.01; apple.n.01 orange.n.01; man.n.01 woman.n.01; woman.n.01 girl.n.01; boy.n.01 girl.n.02;
entity.n.01 dog.n.01; dog.n.01 entity.n.01; animal.n.01 dog.n.01; dog.n.01 animal.n.01; person.n.01 organism.n.01;
whale.n.02 shark.n.01; keyboard.n.01 computer_keyboard.n.01; house.n.01 castle.n.02; rose.n.01 tulip.n.01;
einstein.n.01 physicist.n.01; einstein.n.01 newton.n.01; paris.n.01 london.n.01; paris.n.01 city.n.01;
love.n.01 hate.n.01; run.n.05 walk.n.01; water.n.01 ice.n.01; water.n.06 fire.n.01; beef.n.01 beef.n.02;
domestic_animal.n.01 canine.n.02; puppy.n.01 kitten.n.01; teacher.n.01 doctor.n.01; queen.n.02 king.n.01;
red.n.01 blue.n.01; monday.n.01 january.n.01; mushroom.n.05 mushroom.n.02; lamp.n.02 sofa.n.01; baby.n.01 puppy.n.01;
france.n.01 germany.n.01; atom.n.01 star.n.01; set.n.01 group.n.01; abstraction.n.06 physical_entity.n.01"""


class Reader(WordNetCorpusReader):
    """NLTK's reader without links to other versions, for which Debian has no files."""

    def map_wn(self, version="wordnet"):
        return {}


def open_database(files):
    """NLTK's reader for a folder with these files; all other files that NLTK needs are empty."""
    folder = pathlib.Path(tempfile.mkdtemp())
    nltk.data.path.append(str(folder))
    for name in Reader._FILES:
        (folder / name).write_text("")
    (folder / "lexnames").write_text("".join(f"{i:02} lex.{i} 1\n" for i in range(45)))
    for file in files:
        shutil.copy(file, folder / file.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Reader(str(folder), None)


def make_small(folder):
    """Writes a database in which the synset of a word has one to three earlier ones as hypernyms."""
    rng = random.Random(2020)
    folder.mkdir(exist_ok=True)
    words = [f"thing_{chr(97 + i // 26)}{chr(97 + (i * 7) % 26)}" for i in range(40)]
    parents = [[] if i in (0, 1, 17) else sorted(rng.sample(range(i), min(i, rng.choice([1, 1, 2, 2, 3]))))
               for i in range(40)]
    licence = "  1 A made-up database in the format of WordNet, for tests.\n  2 WordNet 3.0 Copyright, of no word.\n"

    def line(i, offsets):
        pointers = "".join(f" {'@i' if rng.random() < 0.2 else '@'} {offsets[p]:08} n 0000" for p in parents[i])
        noise = f" ~ {offsets[0]:08} n 0000 @ {offsets[0]:08} n 0101"  # a hyponym, and a pointer between two words
        return (f"{offsets[i]:08} 03 n 02 {words[i].title()} 0 same_{i % 8} 0 {len(parents[i]) + 2:03}{pointers}{noise}"
                " | made up  \n")

    state = rng.getstate()
    lengths = [len(line(i, [0] * 40)) for i in range(40)]
    rng.setstate(state)
    starts = [len(licence) + sum(lengths[:i]) for i in range(40)]
    (folder / "data.noun").write_text(licence + "".join(line(i, starts) for i in range(40)))
    senses = {words[i]: [starts[i]] for i in range(40)}
    for i in range(40):
        senses.setdefault(f"same_{i % 8}", []).append(starts[i])
    (folder / "index.noun").write_text(licence + "".join(
        f"{word} n {len(of)} 2 @ ~ {len(of)} 0 {' '.join(f'{o:08}' for o in of)}  \n" for word, of in sorted(senses.items())))
    return [f"{word}.n.01" for word in words]


def wordnet_cases():
    debian = open_database([file for file in DEBIAN.iterdir()])
    assert debian.get_version() == "3.0", debian.get_version()

    def similarity(reader, a, b):
        return reader.synset(a).wup_similarity(reader.synset(b))
    table = re.findall(r'\{"[^"]*", "[^"]*", "([^"]*)"\}', (FOLDER / "../../apps/prototypes/class_meanings.cpp").read_text())
    assert len(table) == 100, len(table)
    pairs = [pair.split() for pair in PAIRS.split(";")]
    names = make_small(FOLDER / "wordnet_small")
    small = {}
    for version in ("3.0", "1.6"):
        reader = open_database((FOLDER / "wordnet_small").iterdir())
        reader.get_version = lambda version=version: version
        small[version] = [[similarity(reader, a, b) for b in names] for a in names]
    return {"pairs": [{"a": a, "b": b, "wup": similarity(debian, a, b)} for a, b in pairs],
            "cifar100": {"synsets": table, "upper": [[similarity(debian, a, b) for b in table[i + 1:]]
                                                     for i, a in enumerate(table)]},
            "small": {"synsets": names, "wup": small}}


def numbers(array):
    return [float(value) for value in np.asarray(array).ravel()]


def cluster_cases(rng):
    def points(*shape):
        return rng.standard_normal(shape).astype(np.float32)
    cases = {
        "ordinary": (points(60, 5) + np.repeat(np.arange(3, dtype=np.float32), 20)[:, None], np.repeat([0, 1, 2], 20)),
        "labels with gaps and below 0": (points(12, 3), np.tile([-7, 100, 3], 4)),
        "one dimension": (points(9, 1), np.tile([0, 1, 2], 3)),
        "a cluster of one": (points(7, 4), np.array([0, 0, 0, 1, 1, 1, 2])),
        "clusters of one but for one": (points(6, 2), np.array([0, 1, 2, 3, 4, 4])),
        "equal points": (np.full((6, 3), 1.5, np.float32), np.array([0, 0, 1, 1, 2, 2])),
        "equal points within each cluster": (np.repeat(points(3, 4), 4, 0), np.repeat([0, 1, 2], 4)),
        "far from the origin": (points(20, 3) + np.float32(1e4), np.repeat([0, 1], 10)),
        "tiny": (points(20, 3) * np.float32(1e-15), np.repeat([0, 1], 10)),
        "a hundred in twenty": (points(100, 64), np.repeat(np.arange(20), 5)),
    }
    assert all(x.dtype == np.float32 for x, _ in cases.values())
    return [{"name": name, "dim": x.shape[1], "points": numbers(x), "labels": [int(label) for label in y],
             "index": float(calinski_harabasz_score(x.astype(np.float64), y))} for name, (x, y) in cases.items()]


def correlation_cases(rng):
    x = rng.standard_normal(50)
    cases = {
        "ordinary": (x, 0.5 * x + rng.standard_normal(50)),
        "opposite": (x, -3 * x + 2),
        "many ties": (rng.integers(0, 4, 80).astype(float), rng.integers(0, 3, 80).astype(float)),
        "one in a thousand": (np.r_[np.zeros(999), 1.0], np.arange(1000.0)),
        "tiny": (x * 1e-200, (x ** 3) * 1e-180),
        "far from 0": (x + 1e6, x ** 2),
        "two numbers": (np.array([1.0, 2.0]), np.array([5.0, 3.0])),
    }
    return [{"name": name, "x": numbers(a), "y": numbers(b), "pearson": float(stats.pearsonr(a * 2.0 ** 500 if name == "tiny"
             else a, b * 2.0 ** 500 if name == "tiny" else b)[0]), "spearman": float(stats.spearmanr(a, b)[0])}
            for name, (a, b) in cases.items()]


def component_cases(rng):
    cases = {
        "ordinary": rng.standard_normal((40, 6)) * [5, 4, 3, 2, 1, 0.5],
        "fewer points than dimensions": rng.standard_normal((4, 9)),
        "far from the origin": rng.standard_normal((30, 3)) * [3, 2, 1] + 1000,
        "more than a block of points": np.round(rng.standard_normal((1500, 2)) * [2, 1], 2),
    }
    result = []
    for name, x in cases.items():
        x = x.astype(np.float32)
        fit = PCA(2, svd_solver="full").fit(x.astype(np.float64))
        largest = fit.components_[np.arange(2), np.abs(fit.components_).argmax(1)]
        result.append({"name": name, "dim": x.shape[1], "points": numbers(x),
                       "components": numbers(fit.components_ * np.sign(largest)[:, None]),
                       "explained": numbers(fit.explained_variance_ratio_)})
    return result


if __name__ == "__main__":
    (FOLDER / "wordnet.json").write_text(json.dumps(wordnet_cases()) + "\n")
    generator = np.random.default_rng(2020)
    statistics = {"clusters": cluster_cases(generator), "correlations": correlation_cases(generator),
                  "components": component_cases(generator)}
    (FOLDER / "statistics.json").write_text(json.dumps(statistics) + "\n")
