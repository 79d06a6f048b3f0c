# Targets of the physical flow, included by the Makefile. LIB: ihp-sg13g2 (PDK=folder), nangate45, or a .lib file.
LIB ?= ihp-sg13g2
PHYSICAL = --config "$(or $(CONFIG),tiny)" --lib "$(LIB)" $(if $(PDK),--pdk "$(PDK)")
# of `paper` the blocks whose simulation compiles in minutes, and energy a row in seconds instead of minutes
GATES_ARGS = $(if $(filter paper,$(CONFIG)),--blocks pe_array lif --frames 2)
MECHANISMS_ARGS = $(if $(filter paper,$(CONFIG)),--frames 120 --seeds 2)
ABLATION_ARGS = $(if $(filter paper,$(CONFIG)),--energy scaled)
CORNERS = $(if $(filter ihp-sg13g2,$(LIB)),typ slow fast,typ)
.PHONY: physical synth sta gate-activity power gates ablation memory-options openroad fpga-report physical-json

physical: $(READY) ## All reports of CONFIG in LIB one after another, collected (needs `sta`; minutes for tiny, half an hour for paper)
	@$(MAKE) --no-print-directory synth
	@for corner in $(CORNERS); do $(MAKE) --no-print-directory sta ARGS="--corner $$corner" || exit 1; done
	@for step in gates power ablation memory-options physical-json; do \
	    $(MAKE) --no-print-directory $$step || exit 1; done

synth: $(READY) ## Map to a library: area, flip-flops, depth by block (CONFIG=tiny|paper LIB=ihp-sg13g2|nangate45|FILE.lib PDK=folder)
	@$(PY) -m hw.flow.synth $(PHYSICAL) $(ARGS)

sta: $(READY) ## Timing of the mapped netlist at 100 kHz and a fast clock (needs `sta`; ARGS="--fast 10")
	@$(PY) -m hw.flow.sta $(PHYSICAL) $(ARGS)

gates: $(READY) ## Gate-level co-simulation beside the RTL (ARGS="--blocks pe_array lif --frames 2")
	@$(PY) -m cosim.gates.netlist_run $(PHYSICAL) $(or $(ARGS),$(GATES_ARGS))

gate-activity: $(READY) ## Gate activity of real frames for `make power` (FRAMES=3)
	@$(PY) -m cosim.gates.netlist_run $(PHYSICAL) --frames $(or $(FRAMES),3) --stimulus-only build/physical/stimulus-$(or $(CONFIG),tiny).bin
	@$(PY) -m hw.flow.activity $(PHYSICAL) --stimulus build/physical/stimulus-$(or $(CONFIG),tiny).bin $(ARGS)

power: gate-activity ## Energy a frame by block under real activity (`sta` 3, or TOOL=tables)
	@$(PY) -m hw.flow.power $(PHYSICAL) $(if $(TOOL),--tool $(TOOL))

ablation: $(READY) ## What each mechanism costs and saves: area, cycles, energy (after make synth and make power)
	@$(PY) -m cosim.gates.mechanisms --config "$(or $(CONFIG),tiny)" $(MECHANISMS_ARGS)
	@$(PY) -m hw.flow.ablation $(PHYSICAL) $(or $(ARGS),$(ABLATION_ARGS))

memory-options: $(READY) ## Weight buffers as SRAM macros, flip-flops, latches, ROM
	@$(PY) -m hw.flow.memory_options $(PHYSICAL) $(ARGS)

openroad: $(READY) ## Floorplan to global route of a block (needs `openroad`; ARGS="--block lif"); writes ORFS and LibreLane configs
	@$(PY) -m hw.flow.openroad $(PHYSICAL) $(ARGS)

fpga-report: $(READY) ## ECP5: utilisation, and for tiny the clock after place and route (CONFIG=tiny|paper)
	@$(PY) -m hw.flow.fpga --config "$(or $(CONFIG),tiny)" $(ARGS)

physical-json: $(READY) ## Collect what the runs left into docs/results/physical.json
	@$(PY) -m hw.flow.collect $(ARGS)
