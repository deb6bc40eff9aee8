"""Writes entities.json: tags of texts and what seqeval makes of them. pip install seqeval==1.2.2; python entities.recipe.py"""
import json
import random
from pathlib import Path

from seqeval.metrics import classification_report, f1_score
from seqeval.scheme import IOB2, Entities

random.seed(16)
TYPES = ['PER', 'LOC', 'ORG']
TAGS = ['O'] + [f'{mark}-{kind}' for kind in TYPES for mark in 'BI']


def sequence(length, share):
    return [random.choice(TAGS) if random.random() < share else 'O' for _ in range(length)]


def disturbed(tags):
    return [random.choice(TAGS) if random.random() < 0.25 else tag for tag in tags]


def case(true, said):
    entities = [[[e.start, e.end, e.tag] for e in text] for text in Entities(said, IOB2).entities]
    f1 = f1_score(true, said, mode='strict', scheme=IOB2, zero_division=0)
    table = classification_report(true, said, mode='strict', scheme=IOB2, zero_division=0, output_dict=True)
    types = {kind: {name: float(x) for name, x in row.items()} for kind, row in table.items() if ' avg' not in kind}
    return {'true': true, 'said': said, 'entities': entities, 'f1': f1, 'types': types}


cases = []
for _ in range(50):
    true = [sequence(random.randint(1, 12), 0.6) for _ in range(random.randint(1, 5))]
    cases.append(case(true, [disturbed(tags) for tags in true]))

odd = [
    ([['O', 'O']], [['O', 'O']]),
    ([['B-PER', 'I-PER']], [['I-PER', 'I-PER']]),
    ([['B-PER', 'I-PER']], [['B-PER', 'I-LOC']]),
    ([['B-PER', 'B-PER']], [['B-PER', 'I-PER']]),
    ([['B-PER', 'O', 'I-PER']], [['B-PER', 'O', 'I-PER']]),
    ([['B-PER'], ['I-PER']], [['B-PER'], ['I-PER']]),
    ([['B-LOC', 'I-LOC', 'I-LOC']], [['B-LOC', 'I-LOC', 'O']]),
    ([['B-LOC', 'I-ORG', 'I-LOC']], [['B-LOC', 'I-LOC', 'I-LOC']]),
    ([['B-PER-X', 'I-PER-X']], [['B-PER-X', 'I-PER']]),
    ([['I-PER', 'B-PER', 'I-PER', 'B-LOC']], [['O', 'B-PER', 'I-PER', 'B-ORG']]),
]
cases += [case(*one) for one in odd]
Path(__file__).with_name('entities.json').write_text(json.dumps({'cases': cases}) + '\n')
