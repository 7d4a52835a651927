/*
 * What libjpeg's jdmaster.c and jdapistd.c can call but jpeg.c never lets them: 12- and 16-bit samples, lossless JPEG
 * and colour quantisation. jpeg.c refuses such files after the header, so these only satisfy the linker.
 */
#include "codecs.h"

#define NEVER_CALLED(name) \
  void name(void *cinfo); \
  void name(void *cinfo) { \
    (void)cinfo; \
    fail_with(ERROR_UNSUPPORTED, 0); \
  }
#define NEVER_CALLED_WITH_FLAG(name) \
  void name(void *cinfo, int flag); \
  void name(void *cinfo, int flag) { \
    (void)cinfo, (void)flag; \
    fail_with(ERROR_UNSUPPORTED, 0); \
  }

NEVER_CALLED(jinit_1pass_quantizer)
NEVER_CALLED(jinit_2pass_quantizer)
NEVER_CALLED(jinit_lhuff_decoder)
NEVER_CALLED(jinit_lossless_decompressor)
NEVER_CALLED_WITH_FLAG(jinit_d_diff_controller)
NEVER_CALLED(j12init_1pass_quantizer)
NEVER_CALLED(j12init_2pass_quantizer)
NEVER_CALLED(j12init_color_deconverter)
NEVER_CALLED(j12init_inverse_dct)
NEVER_CALLED(j12init_lossless_decompressor)
NEVER_CALLED(j12init_merged_upsampler)
NEVER_CALLED(j12init_upsampler)
NEVER_CALLED_WITH_FLAG(j12init_d_coef_controller)
NEVER_CALLED_WITH_FLAG(j12init_d_diff_controller)
NEVER_CALLED_WITH_FLAG(j12init_d_main_controller)
NEVER_CALLED_WITH_FLAG(j12init_d_post_controller)
NEVER_CALLED(j16init_color_deconverter)
NEVER_CALLED(j16init_lossless_decompressor)
NEVER_CALLED(j16init_upsampler)
NEVER_CALLED_WITH_FLAG(j16init_d_diff_controller)
NEVER_CALLED_WITH_FLAG(j16init_d_main_controller)
NEVER_CALLED_WITH_FLAG(j16init_d_post_controller)
