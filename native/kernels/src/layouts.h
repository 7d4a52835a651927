/* Made from native/layouts/kernels.json by `npm run layouts`: do not edit. */
/* clang-format off */

/* What kernels.wasm and the compiled plan share: parameters of the kernels, heads of packed weights, and constants. */

#ifndef KERNELS_LAYOUTS_H
#define KERNELS_LAYOUTS_H

#include <stddef.h>
#include <stdint.h>

enum {
    PANEL_CHANNELS = 8,     /* output channels of a panel of packed weights */
    TILE_ROWS = 4,          /* rows of a matrix product that are computed at a time */
    PAIRS_TILE_ROWS = 3,    /* the same, in qu8_gemm_3x8c4_usdot2.c */
    I16_STEPS = 4095,       /* qd16_f32_gemm_4x8c2_dot16x2.c quantises f32 activations to -I16_STEPS..I16_STEPS */
    STRASSEN_PRODUCTS = 49, /* block products of qd16_f32_gemm_4x8c2_strassen.c, which replace 64 */
    STRASSEN_UNIT = 16,     /* rows of a unit: four tiles, one for each row of blocks */
    STRASSEN_SUMS = 128,    /* bytes of the sums of a tile */
    STRASSEN_GAP = 64,      /* bytes behind each operand; without them, most would start on the same cache lines */
    PLANES = 4,             /* planes that a depthwise convolution computes at a time */
    PLANE_GAP = 64,         /* bytes behind each plane; without them, planes of some sizes would share cache lines */
    COLUMN_BYTES = 16,      /* bytes of a column of a plane: one vector of channels */
    DOT_TAPS = 4,           /* taps of a filter's row that one product of qu8_dwconv_2x4x4c4_usdot.c sums */
    REQUANTIZE_BIAS = 1024, /* added to exact results, so that truncation is floor */
    REQUANTIZE_BASE = 256,  /* added to results in f32, so that their last bit is 1/32768 */
    SUM_SHIFT = 20,         /* bits below the point while qu8_vbinary adds, as in TensorFlow Lite */
    SUM_ERROR = 6,          /* largest error of a sum that qu8_vbinary computes in f32, in 1/32768 */
    COPY_LEVELS = 4,        /* nested loops of a copy */
    MOVE_LEVELS = 3,        /* nested loops of a move */
    PAIRS_REST_BYTES = 128, /* scratch of qu8_packw_x8c4_usdot2: `rest` */
    PAIRS_SUMS_BYTES = 32,  /* scratch of qu8_packw_x8c4_usdot2: `sums` */
};

/* How a window is reduced to one value. */
enum PoolOperation {
    POOL_AVERAGE = 0,
    POOL_MAXIMUM = 1,
    POOL_SUM = 2, /* f32 only */
};

/* The function of two operands; for uint8 and int8 only the first four. */
enum ElementwiseOperation {
    ELEMENTWISE_ADD = 0,
    ELEMENTWISE_SUBTRACT = 1,      /* a - b */
    ELEMENTWISE_MULTIPLY = 2,
    ELEMENTWISE_SUBTRACT_FROM = 3, /* b - a */
    ELEMENTWISE_DIVIDE = 4,        /* a / b */
    ELEMENTWISE_DIVIDE_INTO = 5,   /* b / a */
    ELEMENTWISE_MAXIMUM = 6,
    ELEMENTWISE_MINIMUM = 7,
    ELEMENTWISE_SQUARED_DIFFERENCE = 8,
    ELEMENTWISE_PRELU = 9,         /* b: slopes */
};

/* The function of one f32 value. */
enum UnaryOperation {
    UNARY_LOGISTIC = 0,
    UNARY_TANH = 1,
    UNARY_ELU = 2,
    UNARY_GELU = 3,
    UNARY_GELU_APPROXIMATE = 4, /* by tanh */
    UNARY_LEAKY_RELU = 5,       /* parameter: the slope below zero */
    UNARY_EXP = 6,
    UNARY_ABS = 7,
    UNARY_NEG = 8,
    UNARY_SQRT = 9,
    UNARY_RSQRT = 10,
    UNARY_LOG = 11,             /* minus infinity for zero, NaN for negative numbers */
    UNARY_SWISH = 12,           /* x times its logistic function */
};

/* Zero point and clamp of a quantised output, as stored: int8 has 128 added. */
struct Range {
    int32_t zero; /* the output's zero point */
    int32_t low;  /* the smallest byte */
    int32_t high; /* the largest byte */
};

/* Convolutions and fully connected layers, as matrix products: gemm.h. */
struct Conv {
    const uint8_t *input;   /* [in_height, in_width, in_channels] */
    const uint8_t *weights; /* panels; see the kernel */
    uint8_t *output;        /* [rows, out_channels] */
    uint8_t *patches;       /* scratch, [block, reduction] elements, if `gather` */
    uint8_t *wide;          /* scratch of the 16-bit kernels and of qu8_gemm_4x12c4_usdot.c; see there */
    int32_t rows;           /* output pixels */
    int32_t reduction;      /* K: kernel height * kernel width * input channels */
    int32_t out_channels;
    int32_t block;          /* rows at a time */
    int32_t gather;         /* 0: the input is the matrix as it stands; 1: its patches are gathered first */
    int32_t in_height;
    int32_t in_width;
    int32_t in_channels;
    int32_t out_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t top;            /* padding */
    int32_t left;           /* padding */
    int32_t input_zero;     /* quantised: the input's zero point */
    int32_t weights_zero;   /* quantised: the weights' zero point less what their packing subtracts */
    struct Range range;     /* quantised */
    int32_t signs;          /* quantised: 1 if N of requantize.h affects results that are not clamped */
    float low;              /* f32: clamp of the output */
    float high;
    int32_t int16_input;    /* qd16_f32_gemm_4x8c2_dot16x2.c: 1 if the input is int16 instead of f32 */
    int32_t int16_output;   /* the same for the output */
    uint8_t *whole;         /* scratch of qd16_f32_gemm_4x8c2_dot16x2.c: a gathered f32 input, as int16 */
    uint8_t *operands;      /* scratch of qd16_f32_gemm_4x8c2_strassen.c; see there */
    /* dot16x2 kernels: 1 if even and odd values along K have sums of their own; tile_4x8c2_dot16x2.h */
    int32_t apart;
    /* qu8_gemm_4x12c4_usdot.c: 128 where the CPU's dot product takes activations as signed, else 0 */
    int32_t flip;
};

/* Depthwise convolutions: dwconv.h. */
struct Depthwise {
    const uint8_t *input;   /* [in_height, in_width, in_channels] */
    const uint8_t *weights; /* by vector of channels; see the kernel */
    uint8_t *output;        /* [out_height, out_width, channels] */
    uint8_t *planes;        /* scratch, [PLANES][block_rows * padded_width * 16 + PLANE_GAP] bytes; or see the kernel */
    int32_t in_height;
    int32_t in_width;
    int32_t in_channels;
    int32_t out_height;
    int32_t out_width;
    int32_t channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t top;            /* padding */
    int32_t left;           /* padding */
    int32_t multiplier;     /* filters for each input channel: channels / in_channels */
    int32_t block;          /* output rows at a time; not in qu8_dwconv_2x4x4c4_usdot.c */
    /* (out_width - 1) * stride + (kernel - 1) * dilation + 1; not in qu8_dwconv_2x4x4c4_usdot.c */
    int32_t padded_width;
    int32_t input_zero;
    struct Range range;     /* quantised */
    int32_t signs;          /* quantised: 1 if N of requantize.h affects results that are not clamped */
    float low;              /* f32: clamp of the output */
    float high;
    int32_t int16_input;    /* f32_dwconv_7x4_fma.c: 1 if the input is int16 instead of f32 */
    int32_t int16_output;   /* the same for the output */
    int32_t flip;           /* qu8_dwconv_2x4x4c4_usdot.c: as in struct Conv */
};

/* Two tensors of `size` values, of which the second may be shorter: vbinary.c. */
struct Elementwise {
    const uint8_t *a;
    const uint8_t *b;
    uint8_t *output;
    int32_t size;
    int32_t period;         /* the number of values after which b repeats */
    int32_t run;            /* the number of consecutive values of a that each value of b is combined with */
    int32_t operation;      /* enum ElementwiseOperation */
    int32_t a_zero;         /* quantised: zero points */
    int32_t b_zero;
    int32_t a_multiplier;   /* quantised: the results of TensorFlow Lite's QuantizeMultiplier */
    int32_t a_shift;        /* to the right */
    int32_t b_multiplier;
    int32_t b_shift;
    int32_t out_multiplier; /* a product has only this one */
    int32_t out_shift;
    int32_t in_f32;         /* quantised: 1 if results may be computed in f32 first, by the next three */
    float a_factor;         /* the multiplier, for products */
    float b_factor;         /* N of requantize.h, for products */
    float offset;
    struct Range range;     /* quantised */
    float low;              /* f32: clamp of the output */
    float high;
};

/* A function of two bytes as a table of all its results: lut2.c. */
struct Table {
    const uint8_t *a;
    const uint8_t *b;
    uint8_t *output;
    int32_t size;
    int32_t period;       /* as in struct Elementwise */
    int32_t run;
    const uint8_t *table; /* [b][a] */
};

/* A function of one f32 value: vunary.c. */
struct Unary {
    const float *input;
    float *output;
    int32_t size;
    int32_t operation; /* enum UnaryOperation */
    float parameter;
};

/* Averages, maxima and sums over windows: pool.c. */
struct Pool {
    const uint8_t *input; /* [in_height, in_width, channels] */
    uint8_t *output;      /* [out_height, out_width, channels] */
    int32_t in_height;
    int32_t in_width;
    int32_t channels;
    int32_t out_height;
    int32_t out_width;
    int32_t height;       /* of the window */
    int32_t width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t top;          /* padding */
    int32_t left;         /* padding */
    int32_t operation;    /* enum PoolOperation */
    int32_t subtract;     /* averages of uint8 and int8: subtracted from the sum, for each value */
    int32_t multiplier;   /* then, unless it is 0, the sum is multiplied by multiplier * 2^-31 */
    int32_t shift;        /* and shifted to the right */
    int32_t divide;       /* then, if it is 1, the sum is divided by the number of values, halves away from zero */
    int32_t add;          /* added to the result */
    int32_t up;           /* the number of channels, a multiple of eight, in which halves of products are rounded up */
    struct Range range;   /* quantised */
    float low;            /* f32: clamp of the output */
    float high;
};

/* Converts one number type to another, value by value: vcvt.c. */
struct Convert {
    const uint8_t *input;
    uint8_t *output;
    int32_t size;
    const uint8_t *table; /* x8_lut: 256 bytes */
    float scale;          /* quantised = value * scale + zero; dequantised = (value - zero) * scale */
    float zero;
    float low;            /* clamp of the output */
    float high;
};

/* Converts pixels to the network's input: vcvt.c. */
struct Pixels {
    const uint8_t *pixels; /* [size][3] */
    uint8_t *output;       /* [size][3] f32 or uint8 */
    int32_t size;
    const uint8_t *levels; /* [3][256], of the output's type: the value of each byte in each channel */
};

/* Moves runs of bytes from one tensor to another: move.c. */
struct Move {
    const uint8_t *input;
    uint8_t *output;
    const uint8_t *table;         /* 256 bytes that map each byte while it is moved; or 0 */
    int32_t start;                /* offset of the first run in the output */
    int32_t run;                  /* bytes of a run */
    int32_t count[MOVE_LEVELS];   /* the number of runs in each level, outermost first */
    int32_t in_step[MOVE_LEVELS]; /* bytes from one run to the next */
    int32_t out_step[MOVE_LEVELS];
    int32_t fill_bytes;           /* the number of bytes of the output that are filled first */
    int32_t fill;                 /* the four bytes that are repeated there */
};

/* Copies values from one grid of places to another: copy.c. */
struct Copy {
    const uint8_t *input;
    uint8_t *output;
    int32_t from;                 /* the place of the first value in the input */
    int32_t to;                   /* the same in the output */
    int32_t count[COPY_LEVELS];   /* the number of values in each level, outermost first */
    int32_t in_step[COPY_LEVELS]; /* the distance between two values, in values */
    int32_t out_step[COPY_LEVELS];
};

/* How the sums of eight output channels become bytes: requantize.h. Precedes their packed weights. */
struct Channels {
    int32_t bias[8];
    float multiplier[8];    /* M */
    float offset[8];        /* REQUANTIZE_BASE + C + 5 steps */
    float negative[8];      /* N */
    double exact_multiplier[8];
    double exact_offset[8]; /* REQUANTIZE_BIAS + C */
    double exact_negative[8];
};

/* Begins a panel of qd16_f32_gemm_4x8c2_dot16x2.c; weights [pairs][8][2] int16 follow. */
struct Head {
    float bias[8];
    float scale[8];
};

/* Stands between struct Channels and the weights of a panel of qu8_gemm_3x8c4_usdot2.c. */
struct OverflowHeader {
    int32_t count; /* how many struct OverflowWeights lie behind the weights */
    int32_t unused[3];
};

/* Overflow weights: what is left of the weights of four places of K. */
struct OverflowWeights {
    int32_t offset; /* of the four places, along K */
    int32_t unused[3];
    int8_t weights[8][4];
};

/* Eight channels of qu8_dwconv_2x4x4c4_usdot.c. */
struct DepthwisePanel {
    struct Channels channels;
    int32_t parts;    /* 1 or 2 */
    int32_t unused[3];
    int8_t weights[]; /* [part][2][kernel height][kernel width / 4][4 channels][4 taps] */
};

/* Scratch of qu8_gemm_4x12c4_usdot.c for tiles that cannot be stored at once. */
struct DotSpare {
    int32_t sums[3][4][4]; /* [four output channels][row][channel] */
    uint8_t bytes[3][4][4];
};

/* Scratch of qu8_dwconv_2x4x4c4_usdot.c: the sums of a tile. */
struct DepthwiseSpare {
    int32_t sums[4][4]; /* [pixel][channel] */
};

void f32_gemm_4x8_fma(const struct Conv *s);
void qd16_f32_gemm_4x8c2_dot16x2(const struct Conv *s);
void qd16_f32_gemm_4x8c2_strassen(const struct Conv *s);
void qu8_gemm_4x8c2_dot16x2(const struct Conv *s);
void qu8_gemm_4x12c4_usdot(const struct Conv *s);
void qu8_gemm_3x8c4_usdot2(const struct Conv *s);
void f32_dwconv_7x4_fma(const struct Depthwise *s);
void qu8_dwconv_2x8c2_dot16x2(const struct Depthwise *s);
void qu8_dwconv_2x4x4c4_usdot(const struct Depthwise *s);
void f32_vbinary(const struct Elementwise *s);
void qu8_vbinary(const struct Elementwise *s);
void x8_lut2(const struct Table *s);
void f32_vunary(const struct Unary *s);
void f32_pool(const struct Pool *s);
void qu8_pool(const struct Pool *s);
void x8_lut(const struct Convert *s);
void f32_qu8_vcvt(const struct Convert *s);
void qu8_f32_vcvt(const struct Convert *s);
void f32_vclamp(const struct Convert *s);
void f32_vhswish(const struct Convert *s);
void x8_x32_lut3(const struct Pixels *s);
void x8_lut3(const struct Pixels *s);
void x8_move(const struct Move *s);
void x32_copy(const struct Copy *s);
void x8_copy(const struct Copy *s);

/* 1 if the relaxed dot product of four such bytes is exact; `byte` is below zero if they are to be signed. */
int32_t usdot_is_exact(int32_t weight, int32_t byte);

/* 1 if the relaxed dot product of two such bytes is exact. */
int32_t usdot2_is_exact(int32_t weight, int32_t byte);

/* Converts binary16 to f32. */
void f16_f32_vcvt(const uint16_t *from, float *to, int32_t count);

/* Packs weights [8][K] into a panel of f32_gemm_4x8_fma.c. */
void f32_packw_x8(const float *from, float *to, int32_t reduction);

/* The same for qd16_f32_gemm_4x8c2_dot16x2.c; weights are within `limit` steps, activations within `largest`. */
void f32_qs16_packw_x8c2(const float *from, float *steps, int16_t *to, int32_t reduction, int32_t limit,
                         int32_t largest, int32_t one_sign, float factor);

/* The same for qu8_gemm_4x8c2_dot16x2.c; `flip`: 128 for int8, else 0. */
void qu8_qs16_packw_x8c2(const uint8_t *from, int16_t *to, int32_t reduction, int32_t flip, int32_t zero);

/* The same for qu8_gemm_4x12c4_usdot.c; `flip`: 128 for uint8, else 0. */
void qu8_packw_x8c4_usdot(const uint8_t *from, int32_t *sums, int8_t *to, int32_t reduction, int32_t flip);

/* The same for qu8_gemm_3x8c4_usdot2.c. Returns the number of overflow weights; with `to` 0 it only counts them. */
int32_t qu8_packw_x8c4_usdot2(const uint8_t *from, uint8_t *to, int16_t (*rest)[8], int32_t *sums, int32_t reduction,
                              int32_t out_channels, int32_t flip, int32_t zero);

/* The products of `length` values with those of each of `count` rows, which begin `stride` bytes after each other. */
void s8_gemv_4c16_dot16x2(const int8_t *values, const int8_t *rows, int32_t *products, int32_t length, int32_t stride,
                          int32_t count);

/* The layout that TypeScript writes and reads. */
_Static_assert(offsetof(struct Range, zero) == 0, "struct Range: zero");
_Static_assert(offsetof(struct Range, low) == 4, "struct Range: low");
_Static_assert(offsetof(struct Range, high) == 8, "struct Range: high");
_Static_assert(sizeof(struct Range) == 12, "struct Range");
_Static_assert(offsetof(struct Conv, input) == 0, "struct Conv: input");
_Static_assert(offsetof(struct Conv, weights) == 4, "struct Conv: weights");
_Static_assert(offsetof(struct Conv, output) == 8, "struct Conv: output");
_Static_assert(offsetof(struct Conv, patches) == 12, "struct Conv: patches");
_Static_assert(offsetof(struct Conv, wide) == 16, "struct Conv: wide");
_Static_assert(offsetof(struct Conv, rows) == 20, "struct Conv: rows");
_Static_assert(offsetof(struct Conv, reduction) == 24, "struct Conv: reduction");
_Static_assert(offsetof(struct Conv, out_channels) == 28, "struct Conv: out_channels");
_Static_assert(offsetof(struct Conv, block) == 32, "struct Conv: block");
_Static_assert(offsetof(struct Conv, gather) == 36, "struct Conv: gather");
_Static_assert(offsetof(struct Conv, in_height) == 40, "struct Conv: in_height");
_Static_assert(offsetof(struct Conv, in_width) == 44, "struct Conv: in_width");
_Static_assert(offsetof(struct Conv, in_channels) == 48, "struct Conv: in_channels");
_Static_assert(offsetof(struct Conv, out_width) == 52, "struct Conv: out_width");
_Static_assert(offsetof(struct Conv, kernel_height) == 56, "struct Conv: kernel_height");
_Static_assert(offsetof(struct Conv, kernel_width) == 60, "struct Conv: kernel_width");
_Static_assert(offsetof(struct Conv, stride_y) == 64, "struct Conv: stride_y");
_Static_assert(offsetof(struct Conv, stride_x) == 68, "struct Conv: stride_x");
_Static_assert(offsetof(struct Conv, dilation_y) == 72, "struct Conv: dilation_y");
_Static_assert(offsetof(struct Conv, dilation_x) == 76, "struct Conv: dilation_x");
_Static_assert(offsetof(struct Conv, top) == 80, "struct Conv: top");
_Static_assert(offsetof(struct Conv, left) == 84, "struct Conv: left");
_Static_assert(offsetof(struct Conv, input_zero) == 88, "struct Conv: input_zero");
_Static_assert(offsetof(struct Conv, weights_zero) == 92, "struct Conv: weights_zero");
_Static_assert(offsetof(struct Conv, range) == 96, "struct Conv: range");
_Static_assert(offsetof(struct Conv, signs) == 108, "struct Conv: signs");
_Static_assert(offsetof(struct Conv, low) == 112, "struct Conv: low");
_Static_assert(offsetof(struct Conv, high) == 116, "struct Conv: high");
_Static_assert(offsetof(struct Conv, int16_input) == 120, "struct Conv: int16_input");
_Static_assert(offsetof(struct Conv, int16_output) == 124, "struct Conv: int16_output");
_Static_assert(offsetof(struct Conv, whole) == 128, "struct Conv: whole");
_Static_assert(offsetof(struct Conv, operands) == 132, "struct Conv: operands");
_Static_assert(offsetof(struct Conv, apart) == 136, "struct Conv: apart");
_Static_assert(offsetof(struct Conv, flip) == 140, "struct Conv: flip");
_Static_assert(sizeof(struct Conv) == 144, "struct Conv");
_Static_assert(offsetof(struct Depthwise, input) == 0, "struct Depthwise: input");
_Static_assert(offsetof(struct Depthwise, weights) == 4, "struct Depthwise: weights");
_Static_assert(offsetof(struct Depthwise, output) == 8, "struct Depthwise: output");
_Static_assert(offsetof(struct Depthwise, planes) == 12, "struct Depthwise: planes");
_Static_assert(offsetof(struct Depthwise, in_height) == 16, "struct Depthwise: in_height");
_Static_assert(offsetof(struct Depthwise, in_width) == 20, "struct Depthwise: in_width");
_Static_assert(offsetof(struct Depthwise, in_channels) == 24, "struct Depthwise: in_channels");
_Static_assert(offsetof(struct Depthwise, out_height) == 28, "struct Depthwise: out_height");
_Static_assert(offsetof(struct Depthwise, out_width) == 32, "struct Depthwise: out_width");
_Static_assert(offsetof(struct Depthwise, channels) == 36, "struct Depthwise: channels");
_Static_assert(offsetof(struct Depthwise, kernel_height) == 40, "struct Depthwise: kernel_height");
_Static_assert(offsetof(struct Depthwise, kernel_width) == 44, "struct Depthwise: kernel_width");
_Static_assert(offsetof(struct Depthwise, stride_y) == 48, "struct Depthwise: stride_y");
_Static_assert(offsetof(struct Depthwise, stride_x) == 52, "struct Depthwise: stride_x");
_Static_assert(offsetof(struct Depthwise, dilation_y) == 56, "struct Depthwise: dilation_y");
_Static_assert(offsetof(struct Depthwise, dilation_x) == 60, "struct Depthwise: dilation_x");
_Static_assert(offsetof(struct Depthwise, top) == 64, "struct Depthwise: top");
_Static_assert(offsetof(struct Depthwise, left) == 68, "struct Depthwise: left");
_Static_assert(offsetof(struct Depthwise, multiplier) == 72, "struct Depthwise: multiplier");
_Static_assert(offsetof(struct Depthwise, block) == 76, "struct Depthwise: block");
_Static_assert(offsetof(struct Depthwise, padded_width) == 80, "struct Depthwise: padded_width");
_Static_assert(offsetof(struct Depthwise, input_zero) == 84, "struct Depthwise: input_zero");
_Static_assert(offsetof(struct Depthwise, range) == 88, "struct Depthwise: range");
_Static_assert(offsetof(struct Depthwise, signs) == 100, "struct Depthwise: signs");
_Static_assert(offsetof(struct Depthwise, low) == 104, "struct Depthwise: low");
_Static_assert(offsetof(struct Depthwise, high) == 108, "struct Depthwise: high");
_Static_assert(offsetof(struct Depthwise, int16_input) == 112, "struct Depthwise: int16_input");
_Static_assert(offsetof(struct Depthwise, int16_output) == 116, "struct Depthwise: int16_output");
_Static_assert(offsetof(struct Depthwise, flip) == 120, "struct Depthwise: flip");
_Static_assert(sizeof(struct Depthwise) == 124, "struct Depthwise");
_Static_assert(offsetof(struct Elementwise, a) == 0, "struct Elementwise: a");
_Static_assert(offsetof(struct Elementwise, b) == 4, "struct Elementwise: b");
_Static_assert(offsetof(struct Elementwise, output) == 8, "struct Elementwise: output");
_Static_assert(offsetof(struct Elementwise, size) == 12, "struct Elementwise: size");
_Static_assert(offsetof(struct Elementwise, period) == 16, "struct Elementwise: period");
_Static_assert(offsetof(struct Elementwise, run) == 20, "struct Elementwise: run");
_Static_assert(offsetof(struct Elementwise, operation) == 24, "struct Elementwise: operation");
_Static_assert(offsetof(struct Elementwise, a_zero) == 28, "struct Elementwise: a_zero");
_Static_assert(offsetof(struct Elementwise, b_zero) == 32, "struct Elementwise: b_zero");
_Static_assert(offsetof(struct Elementwise, a_multiplier) == 36, "struct Elementwise: a_multiplier");
_Static_assert(offsetof(struct Elementwise, a_shift) == 40, "struct Elementwise: a_shift");
_Static_assert(offsetof(struct Elementwise, b_multiplier) == 44, "struct Elementwise: b_multiplier");
_Static_assert(offsetof(struct Elementwise, b_shift) == 48, "struct Elementwise: b_shift");
_Static_assert(offsetof(struct Elementwise, out_multiplier) == 52, "struct Elementwise: out_multiplier");
_Static_assert(offsetof(struct Elementwise, out_shift) == 56, "struct Elementwise: out_shift");
_Static_assert(offsetof(struct Elementwise, in_f32) == 60, "struct Elementwise: in_f32");
_Static_assert(offsetof(struct Elementwise, a_factor) == 64, "struct Elementwise: a_factor");
_Static_assert(offsetof(struct Elementwise, b_factor) == 68, "struct Elementwise: b_factor");
_Static_assert(offsetof(struct Elementwise, offset) == 72, "struct Elementwise: offset");
_Static_assert(offsetof(struct Elementwise, range) == 76, "struct Elementwise: range");
_Static_assert(offsetof(struct Elementwise, low) == 88, "struct Elementwise: low");
_Static_assert(offsetof(struct Elementwise, high) == 92, "struct Elementwise: high");
_Static_assert(sizeof(struct Elementwise) == 96, "struct Elementwise");
_Static_assert(offsetof(struct Table, a) == 0, "struct Table: a");
_Static_assert(offsetof(struct Table, b) == 4, "struct Table: b");
_Static_assert(offsetof(struct Table, output) == 8, "struct Table: output");
_Static_assert(offsetof(struct Table, size) == 12, "struct Table: size");
_Static_assert(offsetof(struct Table, period) == 16, "struct Table: period");
_Static_assert(offsetof(struct Table, run) == 20, "struct Table: run");
_Static_assert(offsetof(struct Table, table) == 24, "struct Table: table");
_Static_assert(sizeof(struct Table) == 28, "struct Table");
_Static_assert(offsetof(struct Unary, input) == 0, "struct Unary: input");
_Static_assert(offsetof(struct Unary, output) == 4, "struct Unary: output");
_Static_assert(offsetof(struct Unary, size) == 8, "struct Unary: size");
_Static_assert(offsetof(struct Unary, operation) == 12, "struct Unary: operation");
_Static_assert(offsetof(struct Unary, parameter) == 16, "struct Unary: parameter");
_Static_assert(sizeof(struct Unary) == 20, "struct Unary");
_Static_assert(offsetof(struct Pool, input) == 0, "struct Pool: input");
_Static_assert(offsetof(struct Pool, output) == 4, "struct Pool: output");
_Static_assert(offsetof(struct Pool, in_height) == 8, "struct Pool: in_height");
_Static_assert(offsetof(struct Pool, in_width) == 12, "struct Pool: in_width");
_Static_assert(offsetof(struct Pool, channels) == 16, "struct Pool: channels");
_Static_assert(offsetof(struct Pool, out_height) == 20, "struct Pool: out_height");
_Static_assert(offsetof(struct Pool, out_width) == 24, "struct Pool: out_width");
_Static_assert(offsetof(struct Pool, height) == 28, "struct Pool: height");
_Static_assert(offsetof(struct Pool, width) == 32, "struct Pool: width");
_Static_assert(offsetof(struct Pool, stride_y) == 36, "struct Pool: stride_y");
_Static_assert(offsetof(struct Pool, stride_x) == 40, "struct Pool: stride_x");
_Static_assert(offsetof(struct Pool, top) == 44, "struct Pool: top");
_Static_assert(offsetof(struct Pool, left) == 48, "struct Pool: left");
_Static_assert(offsetof(struct Pool, operation) == 52, "struct Pool: operation");
_Static_assert(offsetof(struct Pool, subtract) == 56, "struct Pool: subtract");
_Static_assert(offsetof(struct Pool, multiplier) == 60, "struct Pool: multiplier");
_Static_assert(offsetof(struct Pool, shift) == 64, "struct Pool: shift");
_Static_assert(offsetof(struct Pool, divide) == 68, "struct Pool: divide");
_Static_assert(offsetof(struct Pool, add) == 72, "struct Pool: add");
_Static_assert(offsetof(struct Pool, up) == 76, "struct Pool: up");
_Static_assert(offsetof(struct Pool, range) == 80, "struct Pool: range");
_Static_assert(offsetof(struct Pool, low) == 92, "struct Pool: low");
_Static_assert(offsetof(struct Pool, high) == 96, "struct Pool: high");
_Static_assert(sizeof(struct Pool) == 100, "struct Pool");
_Static_assert(offsetof(struct Convert, input) == 0, "struct Convert: input");
_Static_assert(offsetof(struct Convert, output) == 4, "struct Convert: output");
_Static_assert(offsetof(struct Convert, size) == 8, "struct Convert: size");
_Static_assert(offsetof(struct Convert, table) == 12, "struct Convert: table");
_Static_assert(offsetof(struct Convert, scale) == 16, "struct Convert: scale");
_Static_assert(offsetof(struct Convert, zero) == 20, "struct Convert: zero");
_Static_assert(offsetof(struct Convert, low) == 24, "struct Convert: low");
_Static_assert(offsetof(struct Convert, high) == 28, "struct Convert: high");
_Static_assert(sizeof(struct Convert) == 32, "struct Convert");
_Static_assert(offsetof(struct Pixels, pixels) == 0, "struct Pixels: pixels");
_Static_assert(offsetof(struct Pixels, output) == 4, "struct Pixels: output");
_Static_assert(offsetof(struct Pixels, size) == 8, "struct Pixels: size");
_Static_assert(offsetof(struct Pixels, levels) == 12, "struct Pixels: levels");
_Static_assert(sizeof(struct Pixels) == 16, "struct Pixels");
_Static_assert(offsetof(struct Move, input) == 0, "struct Move: input");
_Static_assert(offsetof(struct Move, output) == 4, "struct Move: output");
_Static_assert(offsetof(struct Move, table) == 8, "struct Move: table");
_Static_assert(offsetof(struct Move, start) == 12, "struct Move: start");
_Static_assert(offsetof(struct Move, run) == 16, "struct Move: run");
_Static_assert(offsetof(struct Move, count) == 20, "struct Move: count");
_Static_assert(offsetof(struct Move, in_step) == 32, "struct Move: in_step");
_Static_assert(offsetof(struct Move, out_step) == 44, "struct Move: out_step");
_Static_assert(offsetof(struct Move, fill_bytes) == 56, "struct Move: fill_bytes");
_Static_assert(offsetof(struct Move, fill) == 60, "struct Move: fill");
_Static_assert(sizeof(struct Move) == 64, "struct Move");
_Static_assert(offsetof(struct Copy, input) == 0, "struct Copy: input");
_Static_assert(offsetof(struct Copy, output) == 4, "struct Copy: output");
_Static_assert(offsetof(struct Copy, from) == 8, "struct Copy: from");
_Static_assert(offsetof(struct Copy, to) == 12, "struct Copy: to");
_Static_assert(offsetof(struct Copy, count) == 16, "struct Copy: count");
_Static_assert(offsetof(struct Copy, in_step) == 32, "struct Copy: in_step");
_Static_assert(offsetof(struct Copy, out_step) == 48, "struct Copy: out_step");
_Static_assert(sizeof(struct Copy) == 64, "struct Copy");
_Static_assert(offsetof(struct Channels, bias) == 0, "struct Channels: bias");
_Static_assert(offsetof(struct Channels, multiplier) == 32, "struct Channels: multiplier");
_Static_assert(offsetof(struct Channels, offset) == 64, "struct Channels: offset");
_Static_assert(offsetof(struct Channels, negative) == 96, "struct Channels: negative");
_Static_assert(offsetof(struct Channels, exact_multiplier) == 128, "struct Channels: exact_multiplier");
_Static_assert(offsetof(struct Channels, exact_offset) == 192, "struct Channels: exact_offset");
_Static_assert(offsetof(struct Channels, exact_negative) == 256, "struct Channels: exact_negative");
_Static_assert(sizeof(struct Channels) == 320, "struct Channels");
_Static_assert(offsetof(struct Head, bias) == 0, "struct Head: bias");
_Static_assert(offsetof(struct Head, scale) == 32, "struct Head: scale");
_Static_assert(sizeof(struct Head) == 64, "struct Head");
_Static_assert(offsetof(struct OverflowHeader, count) == 0, "struct OverflowHeader: count");
_Static_assert(offsetof(struct OverflowHeader, unused) == 4, "struct OverflowHeader: unused");
_Static_assert(sizeof(struct OverflowHeader) == 16, "struct OverflowHeader");
_Static_assert(offsetof(struct OverflowWeights, offset) == 0, "struct OverflowWeights: offset");
_Static_assert(offsetof(struct OverflowWeights, unused) == 4, "struct OverflowWeights: unused");
_Static_assert(offsetof(struct OverflowWeights, weights) == 16, "struct OverflowWeights: weights");
_Static_assert(sizeof(struct OverflowWeights) == 48, "struct OverflowWeights");
_Static_assert(offsetof(struct DepthwisePanel, channels) == 0, "struct DepthwisePanel: channels");
_Static_assert(offsetof(struct DepthwisePanel, parts) == 320, "struct DepthwisePanel: parts");
_Static_assert(offsetof(struct DepthwisePanel, unused) == 324, "struct DepthwisePanel: unused");
_Static_assert(offsetof(struct DepthwisePanel, weights) == 336, "struct DepthwisePanel: weights");
_Static_assert(sizeof(struct DepthwisePanel) == 336, "struct DepthwisePanel");
_Static_assert(offsetof(struct DotSpare, sums) == 0, "struct DotSpare: sums");
_Static_assert(offsetof(struct DotSpare, bytes) == 192, "struct DotSpare: bytes");
_Static_assert(sizeof(struct DotSpare) == 240, "struct DotSpare");
_Static_assert(offsetof(struct DepthwiseSpare, sums) == 0, "struct DepthwiseSpare: sums");
_Static_assert(sizeof(struct DepthwiseSpare) == 64, "struct DepthwiseSpare");

#endif
