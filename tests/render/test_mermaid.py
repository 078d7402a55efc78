from __future__ import annotations

import re

from dws_graph.render.mermaid import escaped, to_mermaid
from tests.render import samples


def test_a_run_in_mermaid():
    assert to_mermaid(samples.one_run(), "certificates") == "\n".join(
        [
            "flowchart LR",
            '    n0(["digits-data<br/>6baa9455"])',
            '    n1{{"code:/train.py<br/>c386bbc4"}}',
            '    n2(["results<br/>0e7a269f"])',
            '    n3["train<br/>16.3 s · accuracy 0.969"]',
            "    n0 --> n3",
            "    n3 --> n2",
            "    n1 -.-> n3",
            "    classDef source fill:#e3f4f1,stroke:#0b7a6b,color:#1b2330",
            "    class n0 source",
            "    classDef result fill:#f3ecfb,stroke:#7440b3,color:#1b2330",
            "    class n2 result",
            "    classDef step fill:#24364f,stroke:#24364f,color:#ffffff",
            "    class n3 step",
            "    classDef code fill:#f0f2f5,stroke:#5d6676,color:#1b2330",
            "    class n1 code",
            "    classDef root stroke-width:4px",
            "    class n2 root",
            "",
        ]
    )


def test_no_name_ends_its_label():
    text = to_mermaid(samples.hostile(), "certificates")

    for line in text.splitlines():
        label = re.search(r'"(.*)"', line)
        if label:
            assert not re.search(r'["`\\{}\[\]<>]', label[1].replace("<br/>", ""))


def test_signs_are_written_by_number():
    assert escaped('a"b<c>') == "a#34;b#60;c#62;"
    assert escaped("features:/daily (2)") == "features:/daily (2)"


def test_nothing_recorded():
    assert to_mermaid(samples.empty()) == "flowchart LR\n"
