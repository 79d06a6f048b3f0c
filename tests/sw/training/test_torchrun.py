"""Two processes under torchrun train one model, by the same code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, os, sys, torch
from sw.training import trainer
torch.manual_seed(0)
model = torch.nn.Linear(4, 2); model.sizes = {}
data = [torch.randn(8, 4) for _ in range(5)]
trainer.fit(model, lambda epoch: data, lambda m, x: (m(x).square().mean(), {}), sys.argv[1], epochs=2, rate=0.1, seed=0,
            recipe={}, quiet=True)
rank = os.environ["RANK"]
with open(f"{sys.argv[1]}/rank{rank}.json", "w") as f:
    json.dump([model.weight.tolist(), trainer.join()], f)
"""


@pytest.mark.slow
def test_ranks_agree(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
                          str(tmp_path / "program.py"), str(tmp_path)], cwd=root, capture_output=True, text=True,
                         env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    (first, (zero, world)), (second, (one, _)) = (json.loads((tmp_path / f"rank{r}.json").read_text()) for r in (0, 1))
    assert first == second and (zero, one, world) == (0, 1, 2)
    assert len((tmp_path / "curve.csv").read_text().splitlines()) == 3
