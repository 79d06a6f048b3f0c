# Targets of the physical flow, included by the Makefile. LIB: ihp-sg13g2 (PDK=folder), nangate45, or a .lib file.
flow = $(call config,tiny) $(call opt,--lib,LIB) $(call opt,--pdk,PDK)
# of `paper` the blocks whose simulation compiles in minutes, and energy a row in seconds instead of minutes
PAPER = $(filter paper,$(value CONFIG))
CORNERS = $(if $(filter-out ihp-sg13g2,$(value LIB)),typ,typ slow fast)
.PHONY: physical synth sta gate-activity gates power energy ablation memory-options layout fpga-report core-energy frame-energy
.PHONY: after-layout physical-json

## Silicon (CONFIG=tiny|paper|…  LIB=ihp-sg13g2|nangate45|FILE.lib  PDK=folder of the IHP views)
physical: $(READY) ## All reports of CONFIG in LIB one after another, collected (minutes for tiny, half an hour for paper)
	@$(MAKE) --no-print-directory synth
	@for corner in $(CORNERS); do $(MAKE) --no-print-directory sta ARGS="--corner $$corner" || exit 1; done
	@for step in gates power ablation memory-options physical-json; do \
	    $(MAKE) --no-print-directory $$step || exit 1; done

synth: $(READY) ## Map to a library: area, flip-flops, depth by block
	@$(DOOR) synth $(flow) $(more)

sta: $(READY) ## Timing of the mapped netlist at 100 kHz and a fast clock (needs `sta`; ARGS="--fast 10")
	@$(DOOR) sta $(flow) $(more)

gates: $(READY) ## Gate-level co-simulation beside the RTL (ARGS="--blocks pe_array lif --frames 2")
	@$(DOOR) gates $(flow) $(or $(more),$(if $(PAPER),--blocks pe_array lif --frames 2))

gate-activity: $(READY) ## Gate activity of real frames for `make power` (FRAMES=3; MODEL=folder FEATURES=file.npy)
	@$(DOOR) gates $(flow) $(call opt,--model,MODEL) $(call opt,--features,FEATURES) --frames $(or $(FRAMES),3) \
	    --stimulus-only
	@$(DOOR) gate-activity $(flow) $(more)

power: gate-activity ## Energy a frame by block under real activity (`sta` 3, or TOOL=tables)
	@$(DOOR) power $(flow) $(call opt,--tool,TOOL) $(more)

frame-energy: $(READY) ## Power over whole recordings and at the published activity, by corner (after make power)
	@$(DOOR) frame-energy $(flow) $(publish) $(more)

energy: $(READY) ## Ways to the same answers on less energy, each on its own netlist (hours: a synthesis a row)
	@$(DOOR) energy $(call opt,--pdk,PDK) $(publish) $(more)

after-layout: $(READY) ## What layout costs: the sum of blocks, the whole, and the energy table with it
	@$(DOOR) after-layout $(publish) $(more)

ablation: $(READY) ## What each mechanism costs and saves: area, cycles, energy (after make synth and make power)
	@$(DOOR) mechanisms $(call config,tiny) $(if $(PAPER),--frames 120 --seeds 2)
	@$(DOOR) ablation $(flow) $(or $(more),$(if $(PAPER),--energy scaled))

memory-options: $(READY) ## Weight buffers as SRAM macros, flip-flops, latches, ROM
	@$(DOOR) memory-options $(flow) $(more)

layout: $(READY) ## Floorplan to GDS, checked (needs `openroad`; BLOCK=lif); ORFS, LibreLane configurations
	@$(DOOR) layout $(flow) $(call opt,--block,BLOCK) $(more)

fpga-report: $(READY) ## ECP5: routed with a bus and a serial port, clock, utilisation, bitstream for an ULX3S (not run on one)
	@$(DOOR) fpga $(call config,tiny) $(publish) $(more)

core-energy: $(READY) ## Energy a cycle of the RISC-V core under its firmware (after make soc ARGS="--trace build/core.trace")
	@$(DOOR) core-energy $(call opt,--lib,LIB) $(call opt,--pdk,PDK) $(publish) $(more)

physical-json: $(READY) ## Collect what the runs left into one JSON
	@$(DOOR) physical $(publish) $(more)
