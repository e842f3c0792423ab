// An accumulator: every cycle it takes an operation and an operand, and counts how often the result was zero.
module alu #(parameter WIDTH = 16) (
    input wire clk,
    input wire reset,
    input wire [2:0] op,
    input wire [WIDTH-1:0] operand,
    output reg [WIDTH-1:0] sum,
    output reg [7:0] zeros,
    output wire parity
);
    reg [WIDTH-1:0] result;

    always @* begin
        case (op)
            3'd0: result = sum + operand;
            3'd1: result = sum - operand;
            3'd2: result = sum & operand;
            3'd3: result = sum | operand;
            3'd4: result = sum ^ operand;
            3'd5: result = sum << operand[3:0];
            3'd6: result = sum * operand;
            default: result = (sum < operand) ? sum : operand;
        endcase
    end

    always @(posedge clk) begin
        if (reset) begin
            sum <= 0;
            zeros <= 0;
        end else begin
            sum <= result;
            if (result == 0) zeros <= zeros + 1;
        end
    end

    assign parity = ^sum;
endmodule
