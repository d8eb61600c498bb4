#!/usr/bin/env python3
"""Where OpenSCAP, with the content Debian ships for Ubuntu 22.04 and RHEL 9, and `--profile cis-debian-12` say different things of the same host.

    agree.py content DIRECTORY                   makes the content: what is bound to another system is unbound
    agree.py look DIRECTORY OUT [PLIMSOLL [CONTROL]...]    on the host to look at, as root: audits it with both tools
    agree.py compare HOST OUT [HOST OUT]...      compares what was found, by control; exits with 1 where a difference is not explained

`rules.tsv` says which of their rules is about which control; `explained.toml` says for each known difference whose it is, and why.
`hosts.py` does all of it on a stock, a hardened and many mutated hosts. Needs python3, openscap-scanner, ssg-debderived, ssg-nondebian.
"""
import csv
import fnmatch
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
CONTENT = {"ubuntu2204": ("/usr/share/xml/scap/ssg/content/ssg-ubuntu2204-ds.xml", "cis_level2_server"),
           "rhel9": ("/usr/share/xml/scap/ssg/content/ssg-rhel9-ds.xml", "cis")}
PREFIX = "xccdf_org.ssgproject.content_"


def rules():
    with open(os.path.join(HERE, "rules.tsv"), encoding="utf-8") as file:
        return [(row["control"], row["content"], row["rule"]) for row in csv.DictReader(file, delimiter="\t")]


def content(directory):
    os.makedirs(directory, exist_ok=True)
    for name, (path, profile) in CONTENT.items():
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # The benchmark is for its own system alone, and for machines that are no containers.
        text = re.sub(r'<[^<>]*:?platform idref="(cpe:/o:[^"]*|#machine)"\s*/>', "", text)
        text = re.sub(r'<([\w.-]*:?platform) idref="(cpe:/o:[^"]*|#machine)"\s*>\s*</\1>', "", text)
        with open(f"{directory}/{name}.xml", "w", encoding="utf-8") as file:
            file.write(text)
        in_profile = re.search(rf'<[\w.-]*:?Profile id="{PREFIX}profile_{profile}".*?</[\w.-]*:?Profile>', text, re.S)
        with open(f"{directory}/{name}.selected", "w", encoding="utf-8") as file:
            file.write("\n".join(re.findall(rf'select idref="{PREFIX}rule_([^"]+)" selected="true"', in_profile[0])))
        # The values that the profile sets are not handed on to one that extends it.
        with open(f"{directory}/{name}.refined", "w", encoding="utf-8") as file:
            file.write("".join(f'<refine-value idref="{value}" selector="{selector}"/>'
                               for value, selector in re.findall(r'refine-value idref="([^"]+)" selector="([^"]+)"', in_profile[0])))


def tailored(directory, name, out, controls):
    """A profile of the mapped rules alone, or of those about some controls."""
    chosen = {rule for control, of, rule in rules() if of == name and (control in controls or not controls)}
    with open(f"{directory}/{name}.selected", encoding="utf-8") as file:
        dropped = set(file.read().split()) - chosen
    with open(f"{directory}/{name}.refined", encoding="utf-8") as file:
        refined = file.read()
    selections = "".join(f'<select idref="{PREFIX}rule_{rule}" selected="{word}"/>' for word, of in (("true", chosen), ("false", dropped)) for rule in sorted(of))
    with open(f"{out}/{name}.tailoring.xml", "w", encoding="utf-8") as file:
        file.write('<?xml version="1.0"?><Tailoring xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_plimsoll_tailoring_agreement">'
                   f'<benchmark href="{directory}/{name}.xml"/><version time="2026-01-31T12:00:00">1</version>'
                   f'<Profile id="xccdf_plimsoll_profile_agreement" extends="{PREFIX}profile_{CONTENT[name][1]}"><title>agreement</title>{selections}{refined}</Profile></Tailoring>')
    return bool(chosen)


def look(directory, out, plimsoll="plimsoll", *controls):
    """Looks at everything; at what is about some controls; or, with `-`, with plimsoll alone."""
    os.makedirs(out, exist_ok=True)
    began = time.perf_counter()
    with open(f"{out}/plimsoll.log", "wb") as log:
        subprocess.run([plimsoll, "audit", "--profile", "cis-debian-12", "--format", f"json={out}/plimsoll.json"], stdout=log, stderr=log, check=False)
    times = {"plimsoll": time.perf_counter() - began}
    for name in [] if controls == ("-",) else CONTENT:
        if not tailored(directory, name, out, controls):
            continue
        began = time.perf_counter()
        with open(f"{out}/{name}.log", "wb") as log:
            subprocess.run(["oscap", "xccdf", "eval", "--skip-valid", "--profile", "xccdf_plimsoll_profile_agreement", "--tailoring-file",
                            f"{out}/{name}.tailoring.xml", "--results", f"{out}/{name}.xml", f"{directory}/{name}.xml"],
                           stdout=log, stderr=log, check=False)
        times[name] = time.perf_counter() - began
    with open(f"{out}/times.json", "w", encoding="utf-8") as file:
        json.dump(times, file)


def theirs(out):
    """By control, what their rules say together: one failure fails it."""
    said = {}
    for name in CONTENT:
        try:
            tree = ElementTree.parse(f"{out}/{name}.xml")
        except (OSError, ElementTree.ParseError):
            continue
        for result in tree.iter("{http://checklists.nist.gov/xccdf/1.2}rule-result"):
            verdict = result.findtext("{http://checklists.nist.gov/xccdf/1.2}result")
            said[name, result.get("idref").removeprefix(PREFIX + "rule_")] = verdict
    controls = {}
    for control, name, rule in rules():
        verdict = said.get((name, rule))
        if verdict in ("pass", "fail", "notapplicable"):
            controls.setdefault(control, {})[rule] = verdict
    together = {}
    for control, verdicts in controls.items():
        words = set(verdicts.values())
        word = "fail" if "fail" in words else "pass" if "pass" in words else "not_applicable"
        together[control] = word, [rule for rule, verdict in verdicts.items() if verdict == word]
    return together


def ours(out):
    with open(f"{out}/plimsoll.json", encoding="utf-8") as file:
        run = json.load(file)
    findings = {finding["check"]: finding for finding in run["findings"]}
    profile = next(profile for profile in run["profiles"] if profile["id"] == "cis-debian-12")
    found = {}
    for control in profile["controls"]:
        about = [findings[check] for check in control.get("checks", []) if check in findings]
        why = "; ".join(filter(None, (finding.get("reason") for finding in about if finding["result"] == control["result"])))
        failing = [f"{one.get('subject')} {one.get('field')}" for finding in about for one in finding["observations"] if one["truth"] == "false"]
        found[control["id"]] = control["result"], why or ", ".join(failing[:3]), control.get("checks", [])
    return found


def explanation(known, host, control, we, they):
    for one in known:
        controls = one["controls"]
        if any(fnmatch.fnmatch(control, pattern) for pattern in controls) and we in one["ours"] and they in one["theirs"] \
                and fnmatch.fnmatch(host, one.get("host", "*")):
            one["used"] = True
            return one["because"]
    return None


def compare(hosts):
    with open(os.path.join(HERE, "explained.toml"), "rb") as file:
        known = tomllib.load(file)["difference"]
    counts, open_ones = {"agree": 0, "explained": 0, "differs": 0, "only one decides": 0}, 0
    for host, out in hosts:
        print(f"\n## {host}\n")
        us, them = ours(out), theirs(out)
        agree, silent = [], []
        for control, (they, their_rules) in them.items():
            we, why, checks = us.get(control, ("uncovered", "", []))
            if we in ("uncovered", "manual", "skipped"):
                silent.append(f"{control} ({we}; theirs {they})")
                counts["only one decides"] += 1
            elif we == they:
                agree.append(control)
                counts["agree"] += 1
            else:
                because = explanation(known, host, control, we, they)
                counts["explained" if because else "differs"] += 1
                open_ones += not because
                print(f"{'explained' if because else 'DIFFERS  '} {control}: ours {we}, theirs {they}"
                      + (f": {because}" if because else f"\n    ours:   {' '.join(checks)}: {why}\n    theirs: {' '.join(their_rules)}"))
        print(f"agree ({len(agree)}): {' '.join(agree)}")
        if silent:
            print(f"only they decide ({len(silent)}): {', '.join(silent)}")
    print(f"\n{len(hosts)} hosts: " + ", ".join(f"{number} {word}" for word, number in counts.items()))
    for one in known:
        if not one.get("used"):
            print(f"not seen: {' '.join(one['controls'])} ({one.get('host', '*')})")
    return 1 if open_ones else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["content", directory]:
            content(directory)
        case ["look", directory, out, *rest]:
            look(directory, out, *rest)
        case ["compare", *pairs] if pairs and len(pairs) % 2 == 0:
            sys.exit(compare(list(zip(pairs[::2], pairs[1::2]))))
        case _:
            sys.exit(__doc__)
