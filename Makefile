# Every target names an outcome and calls the command `sottovoce` of the same name; `make help` lists them.
# Everything runs in .venv, which `make setup` fills. Variables reach the command exactly as typed, blanks, quotes and
# dollar signs too. PUBLISH=1 writes the figures and pages of docs/ in place of files under build/.
PYTHON ?= python3
VENV   ?= .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/ready
DOOR   := $(PY) -m sottovoce

# $(call typed,NAME): the variable as one word for the shell; $(call opt,--name,NAME): an option, if NAME was given.
# `value` keeps make from expanding a `$` in it.
typed = '$(subst ','\'',$(value $1))'
opt = $(if $(value $2),$1 $(call typed,$2))
config = --config $(if $(value CONFIG),$(call typed,CONFIG),$1)
model = $(if $(value MODEL),$(call typed,MODEL),$1)
publish = $(if $(PUBLISH),--publish)
more = $(value ARGS)

.DEFAULT_GOAL := demo

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^## / { printf "\n%s:\n", substr($$0, 4) } /^[a-z-]+:.*## / { printf "  make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo listen serve serve-check evaluate
## Recognise
demo: $(READY) ## The main job: recording → RSNN → gates and golden model (WAV=file, MODEL=name|folder, OUT=folder)
	@$(DOOR) demo $(call opt,--wav,WAV) $(call opt,--model,MODEL) $(call opt,--out,OUT) $(more)

listen: $(READY) ## Words or phones in a recording, or from the microphone (WAV=file, MODEL=sparknet-32|rsnn|…|folder)
	@$(DOOR) listen $(call opt,--model,MODEL) $(more) $(if $(value WAV),-- $(call typed,WAV))

serve: $(READY) ## A local page that listens: microphone or file, spikes as they happen (MODEL=rsnn|…|folder, ARGS=--rtl)
	@$(DOOR) serve $(call opt,--model,MODEL) $(more)

serve-check: $(READY) ## The same page in headless Chromium, real time, and a soak (needs Chromium; ARGS=--rtl)
	@$(DOOR) serve-check $(publish) $(more)

evaluate: $(READY) ## Score a model on a folder with a manifest (MODEL=rsnn|tiny-kws|sparknet-32|…|folder, DATA=folder)
	@$(DOOR) evaluate $(call model,rsnn) $(call opt,--data,DATA) $(more)

.PHONY: describe verilog cosim bus-test activity conformance networks keyword-conformance rates mutants coverage proofs soak faults doors guard-price
## Hardware and its proof
describe: $(READY) ## What a configuration will take, before it is built (CONFIG=paper|…|file.yaml)
	@$(DOOR) describe $(if $(value CONFIG),$(call typed,CONFIG),paper) $(more)

verilog: $(READY) ## Verilog, header, images into build/verilog/CONFIG (CONFIG=paper|…|file.yaml, IMAGES=model, BUS=axi|wishbone)
	@$(DOOR) verilog $(call opt,--config,CONFIG) $(call opt,--model,$(if $(value MODEL),MODEL,IMAGES)) \
	    $(call opt,--bus,BUS) $(more)

cosim: $(READY) ## cocotb benches (TEST=all|lif|…, CONFIG=tiny|paper|…|file.yaml, SEED=1, WAVES=1)
	@$(DOOR) cosim $(call opt,--test,TEST) $(call config,tiny) $(call opt,--seed,SEED) $(if $(WAVES),--waves) $(more)

activity: $(READY) ## Cycles a frame at the published activity, by phase, published beside measured
	@$(DOOR) activity $(call config,paper) $(publish) $(more)

conformance: $(READY) ## Whole utterances in every mode, RTL against golden (MODEL=name|folder, DATA=folder with a manifest)
	@$(DOOR) conformance $(call opt,--model,MODEL) $(call opt,--data,DATA) $(publish) $(more)

networks: $(READY) ## Many configurations in every mode, RTL against golden, or one network (MODEL=folder; half an hour)
	@$(DOOR) networks $(call opt,--model,MODEL) $(publish) $(more)

keyword-conformance: $(READY) ## Keyword models on the RTL, bit for bit (DATA=folder)
	@$(DOOR) keyword-conformance $(call opt,--data,DATA) $(publish) $(more)

soc: $(READY) ## Keywords on a RISC-V with the accelerator on its bus (WAV=file, or DATA=folder with a manifest)
	@$(DOOR) soc $(call opt,--data,DATA) $(publish) $(more) $(if $(value WAV),-- $(call typed,WAV))

bus-test: $(READY) ## Random software on AXI and Wishbone: hangs, wrong logits (CONFIG=tiny|…, SEED=1)
	@$(DOOR) bus-test $(call config,tiny) $(call opt,--seed,SEED) $(publish) $(more)

mutants: $(READY) ## A thousand small faults in the netlist: which does anything notice? (40 minutes; SEED=1)
	@$(DOOR) mutants $(call opt,--seed,SEED) $(publish) $(more)

coverage: $(READY) ## Bins of the verification plan, lines, branches, toggles that random runs met (ten minutes)
	@$(DOOR) coverage $(publish) $(more)

proofs: $(READY) ## What holds of the blocks for all inputs, and the broken line that each proof notices (half an hour)
	@$(DOOR) proofs $(publish) $(more)

soak: $(READY) ## An hour of speech in three modes, RTL against golden; goes on where it stopped (DATA=folder)
	@$(DOOR) soak $(call opt,--data,DATA) $(publish) $(more)

faults: $(READY) ## Keyword accuracy under flipped bits and stuck parts, golden model (DATA=folder; ten minutes)
	@$(DOOR) faults $(call opt,--model,MODEL) $(call opt,--data,DATA) $(publish) $(more)

doors: $(READY) ## Hundreds of bad inputs, and damaged files at random: each refused in one line (SEED=1)
	@$(DOOR) doors $(call opt,--seed,SEED) $(publish) $(more)

guard-price: $(READY) ## What watchdog and parity cost: area, leakage, energy a frame (half an hour; ARGS=--area: minutes)
	@$(DOOR) guard-price $(publish) $(more)

rates: $(READY) ## Speed of four simulators: bare C++, compiled harness, cocotb, Amaranth
	@$(DOOR) rates $(publish) $(more)

.PHONY: import export library-networks
## Your own network
import: $(READY) ## A NIR graph of another library → configuration, integers, report (GRAPH=file, ARGS="--calibration x.npy")
	@$(DOOR) import $(call typed,GRAPH) $(more)

export: $(READY) ## A trained model as a NIR graph (MODEL=folder)
	@$(DOOR) export $(call opt,--model,MODEL) $(more)

library-networks: $(READY) ## Train networks in snnTorch, Norse and SpikingJelly, to import them (DATA=folder)
	@$(DOOR) library-networks $(call opt,--data,DATA) $(more)

.PHONY: explore frames
## Choose a machine
explore: $(READY) ## Sweep knobs: error, energy, area, latency (MODEL=name|folder, ARGS="--knob lanes=32,64,128")
	@$(DOOR) explore $(call opt,--model,MODEL) $(publish) $(more)

frames: $(READY) ## Easy frames skipped, or run in one time step, by a rule: error and energy (DATA=folder, PDK=folder)
	@$(DOOR) frames $(call opt,--data,DATA) $(call opt,--pdk,PDK) $(publish) $(more)

.PHONY: report trust
## For people
trust: $(READY) ## How the circuit was verified: each figure, its command, what it would have caught (build/trust/index.html)
	@$(DOOR) report --only trust --out build/trust/index.html --results docs/results \
	    $(if $(wildcard build/results/trust.json),--results build/results) $(more)

report: $(READY) ## Every figure on one page, build/report/index.html (WAV=file, ARGS="--simulate" for a frame anew)
	@$(DOOR) report $(if $(value WAV),--simulate) $(call opt,--wav,WAV) $(publish) $(more)

## Train and report
# torch gives activations back to the system and takes them again in every step: glibc keeps them with these, which
# takes 40 % off a training step of tiny-kws
train study: export MALLOC_MMAP_MAX_ := 0
train study: export MALLOC_TRIM_THRESHOLD_ := 17179869184
train: $(READY) ## Train a model (MODEL=rsnn|tiny-kws|sparknet-32|…, DATA=folder; ARGS=--help lists options)
	@$(DOOR) train $(call model,rsnn) $(call opt,--data,DATA) $(more)

synthetic: $(READY) ## A synthetic corpus with exact phone times in build/synthetic, to train with no data at hand
	@$(DOOR) synthetic $(more)

download: $(READY) ## Public speech corpora
	@$(DOOR) download $(more)

study: $(READY) ## A study of keyword spotting (STUDY=lambda|bins|noise|sparsity|classes|snr|stream)
	@$(DOOR) study $(if $(value STUDY),$(call typed,STUDY),lambda) $(call opt,--data,DATA) $(publish) $(more)

phone-ideas: $(READY) ## What makes the phone recogniser better, idea by idea (DATA=folder, ARGS="--teacher RUN")
	@$(DOOR) phone-ideas $(call opt,--data,DATA) $(publish) $(more)

optimisers: $(READY) ## Optimisers and surrogates compared on short trainings
	@$(DOOR) optimisers $(call opt,--data,DATA) $(publish) $(more)

step-time: $(READY) ## Time of a training step beside snnTorch and SpikingJelly
	@$(DOOR) step-time $(publish) $(more)

training-report: $(READY) ## Score the phone recognisers' runs
	@$(DOOR) training-report $(call opt,--data,DATA) $(publish) $(more)

keyword-report: $(READY) ## Score the keyword runs
	@$(DOOR) keyword-report $(call opt,--data,DATA) $(publish) $(more)

.PHONY: lpa-encoder lpa-sweep lpa-train lpa-scaling lpa-report
## Attention replaced by pulses (needs transformers)
lpa-encoder: $(READY) ## Train the small Wav2Vec2 that attention is replaced in (DATA=folder)
	@$(DOOR) lpa-encoder $(call opt,--data,DATA) $(more)

lpa-sweep: $(READY) ## How hard each layer's attention is to replace by pulses, and the order
	@$(DOOR) lpa-sweep $(call opt,--data,DATA) $(more)

lpa-train: $(READY) ## Replace attention by pulses in K layers (ARGS="--layers 8 --order easiest", ARGS=--table for all rows)
	@$(DOOR) lpa-train $(call opt,--data,DATA) $(more)

lpa-scaling: $(READY) ## Latency and memory of pulses over 1 to 120 s, beside torch's attention
	@$(DOOR) lpa-scaling $(more)

lpa-report: $(READY) ## Collect what the LPA runs left, with the plots
	@$(DOOR) lpa-report $(publish) $(more)

include constraints/targets.mk

.PHONY: setup test test-wheel test-all nightly lint docs docs-serve walk doctor clean
## The project itself
setup: $(READY) ## Virtual environment in .venv with every tool, from wheels

$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"error: Python {sys.version.split()[0]} is too old: 3.11 or newer is needed; name one with PYTHON=")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: this Python cannot make virtual environments: install it, e.g. \`apt install python3-venv\`"; exit 1; }
	@for tool in g++ make perl; do command -v $$tool >/dev/null || { echo "error: $$tool is missing: install it, e.g. \`apt install $$tool\`"; exit 1; }; done
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing the tools into $(VENV) (one to five minutes the first time)"
	@$(PY) -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -c requirements.txt -e '.[dev]'
	@touch $@

test: $(READY) ## Fast tests, with the Verilator benches of `tiny` (under 5 minutes on two cores)
	@$(PY) -m pytest -q -m "not slow" $(more)

test-wheel: $(READY) ## The wheel, installed in an environment of its own: command, library, examples, demo
	@$(PY) -m pytest -q tests/sottovoce/test_wheel.py $(more)

test-all: $(READY) ## All tests, the slow ones too
	@$(PY) -m pytest -q $(more)

nightly: $(READY) ## The slow tests alone, and the wheel with every dependency from the registry
	@$(PY) -m pytest -q -m slow --clean-install $(more)

lint: $(READY) ## Ruff over everything
	@$(PY) -m ruff check .

docs: $(VENV)/docs ## The documentation site, into build/site/index.html (installs the extra `docs` the first time)
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "build/site/index.html"

docs-serve: $(VENV)/docs ## The same on http://127.0.0.1:8000, built again at each change
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs serve

$(VENV)/docs: $(READY)
	@$(PY) -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -c requirements.txt -e '.[docs]'
	@touch $@

walk: $(READY) ## The way of a new user, from clone to report, each step timed (WAV=file)
	@$(DOOR) walk $(call opt,--wav,WAV) $(publish) $(more)

doctor: $(READY) ## What is installed, what is missing and what that prevents
	@$(DOOR) doctor

clean: ## Remove everything that can be remade, but .venv
	rm -rf build
