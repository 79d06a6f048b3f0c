# Every target names an outcome; `make help` lists them. Everything runs in .venv, which `make setup` fills.
CONFIG_GIVEN := $(CONFIG)
PYTHON ?= python3
VENV   ?= .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/ready
PAPER  := $(if $(CONFIG_GIVEN),$(CONFIG_GIVEN),paper)
TINY   := $(if $(CONFIG_GIVEN),$(CONFIG_GIVEN),tiny)
TEST   ?= all
SEED   ?= 1
MODEL  ?= rsnn
STUDY  ?= lambda

.DEFAULT_GOAL := demo
.PHONY: synthetic help setup demo test test-all lint verilog cosim activity conformance rates train evaluate study listen clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | awk -F'\t' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(READY) ## Virtual environment in .venv with every tool, from wheels

$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"error: Python {sys.version.split()[0]} is too old: 3.11 or newer is needed; name one with PYTHON=")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: this Python cannot make virtual environments: install it, e.g. \`apt install python3-venv\`"; exit 1; }
	@for tool in g++ make perl; do command -v $$tool >/dev/null || { echo "error: $$tool is missing: install it, e.g. \`apt install $$tool\`"; exit 1; }; done
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing the tools into $(VENV) (one to five minutes the first time)"
	@$(PY) -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -c requirements.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## The main job: recording → RSNN → gates and golden model (WAV=file, OUT=folder)
	@$(PY) -m cosim.demo $(if $(WAV),--wav "$(WAV)") $(if $(OUT),--out "$(OUT)")

test: $(READY) ## Fast tests, with the Verilator benches of `tiny` (under 10 minutes on two cores)
	@$(PY) -m pytest -q -m "not slow" $(ARGS)

test-all: $(READY) ## All tests, the slow ones too
	@$(PY) -m pytest -q $(ARGS)

lint: $(READY) ## Ruff over everything
	@$(VENV)/bin/ruff check .

verilog: $(READY) ## Verilog and memory images into build/verilog/CONFIG (CONFIG=paper|tiny|file.yaml, IMAGES=model folder)
	@$(PY) -m hw.emit --config "$(PAPER)"
	@$(if $(or $(IMAGES),$(filter paper,$(PAPER))),$(PY) -m sw.integers.images --model "$(or $(IMAGES),sw/weights/rsnn-paper-t2)")

cosim: $(READY) ## cocotb benches (TEST=all|lif|…, CONFIG=tiny|paper|file.yaml, SEED=1, WAVES=1)
	@$(PY) -m cosim.run --test "$(TEST)" --config "$(TINY)" --seed "$(SEED)" $(if $(WAVES),--waves)

activity: $(READY) ## Cycles a frame at the published activity, by phase, published beside measured
	@$(PY) -m cosim.activity --config "$(PAPER)" $(ARGS)

conformance: $(READY) ## Whole utterances in every mode, RTL against golden (DATA=folder with a manifest)
	@$(PY) -m cosim.conformance $(if $(DATA),--data "$(DATA)") $(ARGS)

rates: $(READY) ## Simulation rates: bare C++, compiled harness, cocotb, Amaranth
	@$(PY) -m cosim.rates $(ARGS)

# torch gives activations back to the system and takes them again in every step: glibc keeps them with these, which
# takes 40 % off a training step of tiny-kws
train study: export MALLOC_MMAP_MAX_ := 0
train study: export MALLOC_TRIM_THRESHOLD_ := 17179869184
train: $(READY) ## Train a model (MODEL=rsnn|tiny-kws|sparknet-32|…, ARGS=…; ARGS=--help lists options)
	@$(PY) -m sw.phones.train --model "$(MODEL)" $(if $(DATA),--data $(DATA)) $(ARGS)

synthetic: $(READY) ## A synthetic corpus with exact phone times in build/synthetic, to train with no data at hand
	@$(PY) -m sw.data.synthetic $(ARGS)

evaluate: $(READY) ## Score committed weights on a folder with a manifest (MODEL=rsnn|tiny-kws|sparknet-32|…, DATA=folder)
	@$(PY) -m sw.phones.evaluate --model "$(MODEL)" $(if $(DATA),--data "$(DATA)") $(ARGS)

study: $(READY) ## A study of keyword spotting (STUDY=lambda|bins|noise|sparsity|classes|snr|stream)
	@$(PY) -m sw.keywords.studies "$(STUDY)" $(if $(DATA),--data "$(DATA)") $(ARGS)

listen: $(READY) ## Keywords in a recording, or from the microphone (WAV=file, MODEL=sparknet-32)
	@$(PY) -m sw.keywords.listen $(if $(WAV),"$(WAV)") $(if $(filter-out rsnn,$(MODEL)),--model "$(MODEL)") $(ARGS)

.PHONY: lpa-encoder lpa-sweep lpa-train lpa-scaling lpa-report
lpa-encoder: $(READY) ## Train the small Wav2Vec2 that attention is replaced in (DATA=folders, ARGS=--help; needs transformers)
	@$(PY) -m sw.lpa.pretrain $(if $(DATA),--data $(DATA)) $(ARGS)

lpa-sweep: $(READY) ## How hard each layer's attention is to replace by pulses, and the order (ARGS=--help)
	@$(PY) -m sw.lpa.sweep $(if $(DATA),--data $(DATA)) $(ARGS)

lpa-train: $(READY) ## Replace attention by pulses in K layers (ARGS="--layers 8 --order easiest", ARGS=--table for all rows)
	@$(PY) -m sw.lpa.replace $(if $(DATA),--data $(DATA)) $(ARGS)

lpa-scaling: $(READY) ## Latency and memory of pulses over 1 to 120 s, beside torch's attention
	@$(PY) -m sw.lpa.scaling $(ARGS)

lpa-report: $(READY) ## Collect what the LPA runs left into docs/results/lpa.json, with the plots
	@$(PY) -m sw.lpa.lpa_report $(ARGS)

clean: ## Remove everything that can be remade, but .venv
	rm -rf build

-include constraints/targets.mk
