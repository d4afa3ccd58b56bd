"""What the project takes from elsewhere: checksums of what was tested, and what is known of its faults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import audit
import hashes

ROOT = Path(__file__).parents[1]
OF_ONE_PLATFORM = re.compile(r"nvidia-|cuda-|triton$")
CONSTRAINTS = dict(re.findall(r"(?m)^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8")))
KNOWN = {"name": "good", "version": "1", "vulns": []}


def report(sha256: str | None) -> dict:
    file = {"hashes": {"sha256": sha256}} if sha256 else {}
    return {"install": [
        {"metadata": {"name": "Some_Thing", "version": "1.2"}, "download_info": {"url": "x", "archive_info": file}},
        {"metadata": {"name": "aae-core", "version": "0.1"}, "download_info": {"url": "file:.", "dir_info": {}}},
    ]}  # fmt: skip


@pytest.mark.parametrize("path", sorted((ROOT / "hashes").glob("*.txt")), ids=lambda path: path.stem)
def test_checksums_are_of_the_versions_that_were_tested(path):
    listed = re.findall(r"(?m)^([\w.-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$", path.read_text("utf-8"))
    assert len(listed) == len(path.read_text("utf-8").splitlines()) > 100
    versions = {canonicalize_name(name): version for name, version, _ in listed if not OF_ONE_PLATFORM.match(name)}
    known = {canonicalize_name(name): version for name, version in CONSTRAINTS.items()}
    assert {name: known.get(name) for name in versions} == versions


def test_checksums_are_read_off_pips_report():
    assert hashes.lines(report("ab" * 32)) == [f"some-thing==1.2 --hash=sha256:{'ab' * 32}"]
    with pytest.raises(ValueError, match=r"some-thing 1\.2: .*SHA-256"):
        hashes.lines(report(None))


def test_a_platform_without_checksums_is_told_so(monkeypatch):
    monkeypatch.setattr(hashes.sys, "platform", "plan9")
    with pytest.raises(SystemExit, match=r"plan9.*\.txt: .*make hashes"):
        hashes.install()


def test_an_audit_counts_faults_and_what_nobody_knows():
    bad = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
    faults, known, unknown = audit.of_python(
        {"dependencies": [KNOWN, bad, {"name": "odd", "skip_reason": "not found"}]}
    )
    assert (faults, known, unknown) == (["bad 2: PYSEC-1, mended in 3"], 2, 1)
    assert audit.of_javascript({"vulnerabilities": {"x": {"severity": "high"}}, "metadata": {}}) == (["x: high"], True)
    assert audit.of_javascript({"error": "offline"}) == ([], False)


@pytest.mark.parametrize(
    ("python", "javascript", "code"),
    [
        ({"dependencies": [KNOWN]}, {"metadata": {}}, 0),
        ({"dependencies": [{"name": "odd", "skip_reason": "not found"}]}, {"metadata": {}}, 2),
        ({}, {}, 2),
        ({"dependencies": [KNOWN]}, {"vulnerabilities": {"x": {"severity": "high"}}, "metadata": {}}, 1),
    ],
    ids=["none", "nothing known", "no answer", "faults"],
)
def test_silence_is_no_good_news(monkeypatch, capsys, python, javascript, code):
    monkeypatch.setattr(audit, "ask", lambda command, folder: javascript if command[0] == "npm" else python)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: None)
    with pytest.raises(SystemExit) as ended:
        audit.main()
    assert ended.value.code == code
    assert ("No answer" in capsys.readouterr().out) == (code == 2)
