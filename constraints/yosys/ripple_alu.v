// Written by hand: a techmap rule that Yosys reads, not output of any tool.
// Adders as ripple carry: at 100 kHz the carry has all the time there is, and a carry tree would cost area and energy.
// Used by synthesis with --adders ripple (default); --adders tree leaves Yosys's own prefix tree.
(* techmap_celltype = "$alu" *)
module sottovoce_ripple_alu (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  input CI, BI;
  (* force_downto *) output [Y_WIDTH-1:0] X, Y, CO;
  (* force_downto *) wire [Y_WIDTH-1:0] a, b_extended;
  \$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_a (.A(A), .Y(a));
  \$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_b (.A(B), .Y(b_extended));
  (* force_downto *) wire [Y_WIDTH-1:0] b = BI ? ~b_extended : b_extended;
  wire [Y_WIDTH:0] carry;
  assign carry[0] = CI;
  genvar i;
  generate
    for (i = 0; i < Y_WIDTH; i = i + 1) begin : bit
      assign carry[i+1] = (a[i] & b[i]) | (carry[i] & (a[i] | b[i]));
    end
  endgenerate
  assign CO = carry[Y_WIDTH:1];
  assign X = a ^ b;
  assign Y = X ^ carry[Y_WIDTH-1:0];
endmodule
