"""The bibliography: it parses, no key occurs twice, and every entry can be looked up."""

import re
from pathlib import Path

import pytest

REFERENCES = Path(__file__).parents[1] / "report" / "references.bib"

DOI = re.compile(r"10\.\d{4,9}/[^\s{}\"<>]+")
ARXIV = re.compile(r"\d{2}(0[1-9]|1[0-2])\.\d{4,5}")
REQUIRED = {
    "article": {"author", "title", "journal", "year"},
    "inproceedings": {"author", "title", "booktitle", "year"},
    "book": {"author", "title", "publisher", "year"},
}


def closing_brace(text, start):
    """The place of the brace that closes the one at `start`."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"line {text.count(chr(10), 0, start) + 1}: a brace is never closed")


def parse(text):
    """Entries as (kind, key, fields), in the order of the file, duplicates and all."""
    text = re.sub(r"(?m)^%.*$", "", text)
    entries, place = [], 0
    while head := re.compile(r"\s*@(\w+)\s*\{\s*([^\s,{}]+)\s*,").match(text, place):
        end = closing_brace(text, text.index("{", head.start()))
        fields, place = {}, head.end()
        while field := re.compile(r"\s*(\w+)\s*=\s*(?=\{)").match(text, place):
            name = field[1].lower()
            if name in fields:
                raise ValueError(f"{head[2]}: two fields {name}")
            close = closing_brace(text, field.end())
            fields[name] = " ".join(text[field.end() + 1 : close].split())
            place = re.compile(r"\s*,?").match(text, close + 1).end()
        if text[place:end].strip():
            raise ValueError(f"{head[2]}: not a field: {text[place:end].strip()[:40]!r}")
        entries.append((head[1].lower(), head[2], fields))
        place = end + 1
    if text[place:].strip():
        raise ValueError(f"not an entry: {text[place:].strip()[:40]!r}")
    return entries


def isbn_is_valid(isbn):
    """Ten or thirteen digits, hyphens aside, of which the last checks the others."""
    digits = isbn.replace("-", "")
    if re.fullmatch(r"97[89]\d{10}", digits):
        return sum(int(digit) * (1, 3)[i % 2] for i, digit in enumerate(digits)) % 10 == 0
    if re.fullmatch(r"\d{9}[\dX]", digits):
        values = [10 if digit == "X" else int(digit) for digit in digits]
        return sum((10 - i) * value for i, value in enumerate(values)) % 11 == 0
    return False


def identifier_faults(fields):
    """What is wrong with the identifiers of an entry; nothing if it can be looked up."""
    faults = []
    if not fields.keys() & {"doi", "eprint", "isbn"}:
        faults.append("neither a doi nor an eprint nor an isbn")
    if "doi" in fields and not DOI.fullmatch(fields["doi"]):
        faults.append(f"not a DOI: {fields['doi']}")
    if "eprint" in fields and not ARXIV.fullmatch(fields["eprint"]):
        faults.append(f"not an arXiv identifier: {fields['eprint']}")
    if ("eprint" in fields) != (fields.get("archiveprefix") == "arXiv"):
        faults.append("eprint and archiveprefix = {arXiv} go together")
    if "isbn" in fields and not isbn_is_valid(fields["isbn"]):
        faults.append(f"not an ISBN, or its check digit is wrong: {fields['isbn']}")
    return faults


def repeated(values):
    return sorted({value for value in values if values.count(value) > 1})


ENTRIES = parse(REFERENCES.read_text(encoding="ascii"))
each_entry = pytest.mark.parametrize(
    ("kind", "fields"), [entry[::2] for entry in ENTRIES], ids=[entry[1] for entry in ENTRIES]
)


def test_no_key_and_no_identifier_occurs_twice():
    assert ENTRIES
    assert repeated([key.lower() for _, key, _ in ENTRIES]) == []
    for name in ("doi", "eprint", "isbn", "title"):
        values = [fields[name].lower() for _, _, fields in ENTRIES if name in fields]
        assert repeated(values) == [], name


@each_entry
def test_every_entry_can_be_looked_up(kind, fields):
    assert identifier_faults(fields) == []


@each_entry
def test_every_entry_has_the_fields_of_its_kind(kind, fields):
    assert REQUIRED[kind] - {name for name, value in fields.items() if value} == set()
    assert re.fullmatch(r"(19|20)\d\d", fields["year"])
    assert "others" not in fields["author"].split(" and ")


@each_entry
def test_an_arxiv_identifier_without_a_doi_is_printed_and_is_the_same(kind, fields):
    printed = re.findall(r"arXiv:(\S+)", f"{fields.get('journal', '')} {fields.get('note', '')}")
    if "eprint" in fields and "doi" not in fields:
        assert printed == [fields["eprint"]]
    else:
        assert printed == []


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"title": "None"}, "neither"),
        ({"doi": "https://doi.org/10.1109/5.726791"}, "not a DOI"),
        ({"doi": "10.1109"}, "not a DOI"),
        ({"eprint": "1313.6034", "archiveprefix": "arXiv"}, "not an arXiv identifier"),
        ({"eprint": "1312.6034"}, "go together"),
        ({"isbn": "978-0-262-03561-4"}, "check digit"),
        ({"isbn": "0-262-03561-9"}, "check digit"),
    ],
)
def test_faulty_identifiers_are_found(fields, fault):
    assert any(fault in found for found in identifier_faults(fields))


def test_valid_identifiers_of_every_form_pass():
    for fields in (
        {"doi": "10.1007/978-3-319-10590-1_53"},
        {"eprint": "1312.6034", "archiveprefix": "arXiv"},
        {"isbn": "978-0-262-03561-3"},
        {"isbn": "0-262-03561-8"},
        {"isbn": "0-8044-2957-X"},
    ):
        assert identifier_faults(fields) == []


def test_a_broken_file_is_refused_and_a_repeated_key_is_kept_to_be_found():
    entries = parse("@book{a, year = {1}}\n@book{a, year = {2},}\n")
    assert [key for _, key, _ in entries] == ["a", "a"]
    for broken in ("@book{a, b = {1}", "@book{a, b = 1}", "stray", "@book{a, b = {}, b = {}}"):
        with pytest.raises(ValueError):
            parse(broken)
