"""The C header compiles and says what the configuration says."""

import subprocess

from hw import config as configs
from hw.header import header


def test_compiles_and_matches(tmp_path):
    (tmp_path / "accelerator.h").write_text(header(configs.load("paper")))
    checks = {"SV_ROWS_FC1": 960, "SV_ROWS_RECURRENT0": 192, "SV_LOAD_DATA": 16, "SV_LOGITS_LAST_BIT": 192,
              "SV_MODE_T1": 10, "SV_MODE_T2_MERGED": 11, "SV_MODE_T2_UNION": 13, "SV_BUFFER_REGISTER": 5}
    asserts = "\n".join(f'_Static_assert({name} == {value}, "{name}");' for name, value in checks.items())
    (tmp_path / "check.c").write_text(f'#include "accelerator.h"\n{asserts}\n')
    run = subprocess.run(["gcc", "-std=c11", "-fsyntax-only", tmp_path / "check.c"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
