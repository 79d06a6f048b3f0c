"""The report: figures of docs/results and one recorded frame of the RTL, as one self-contained HTML page."""
