/** The names of the corpus files in the reference data, since code in workerd cannot list a folder. */

const expand = (extension: string, names: string) => names.split(/\s+/).map((name) => `${name}.${extension}`);

const JPEG = expand(
  "jpg",
  "arith base420 base422 base444 cmyk exif1 exif2 exif3 exif4 exif5 exif6 exif7 exif8 go-v go-v.221212 go-v.cmyk " +
    "go-v.progressive go-v.progressive.truncated go-v.q50.410 go-v.q50.410.progressive go-v.q50.411 " +
    "go-v.q50.411.progressive go-v.q50.420 go-v.q50.420.progressive go-v.q50.422 go-v.q50.422.progressive go-v.q50.440 " +
    "go-v.q50.440.progressive go-v.q50.444 go-v.q50.444.progressive go-v.restart2 go-v.rgb go-v.separate.dc.progression " +
    "go-v.separate.dc.progression.progressive go-video-005.gray go-video-005.gray.q50 go-video-005.gray.q50.2x2 " +
    "go-video-005.gray.q50.2x2.progressive go-video-005.gray.q50.progressive grey greyprog noeoi opt prog420 rgbjpeg " +
    "rst rstrow samp1x2 samp4x1 trailing trunc60 truncprog",
);

const PNG = expand(
  "png",
  "apng bw1 go-v go-v.221212 go-v.cmyk go-v.progressive.truncated go-v.rgb go-video-005.gray grey16 grey2 grey4 grey8 " +
    "greytrns inter1 inter16 inter8 interpal interpal4 interrgba la16 la8 pal1 pal2 pal4 pal8 paltrns rgb16 rgb16trns " +
    "rgb8 rgba16 rgba8 rgbtrns trunc",
);

const WEBP = expand("webp", "alpha anim ll lossy");

const GIF = expand("gif", "anim go-triangle-001 go-v.5bpp go-v go-v.interlaced go-video-005.gray inter offs p trns");

const BMP = expand("bmp", "b1 b24 b32 b565 b8 core rle8 topdown");

const PNGSUITE = expand(
  "png",
  "basn0g01-30 basn0g01 basn0g02-29 basn0g02 basn0g04-31 basn0g04 basn0g08 basn0g16 basn2c08 basn2c16 basn3p01 " +
    "basn3p02 basn3p04-31i basn3p04 basn3p08-trns basn3p08 basn4a08 basn4a16 basn6a08 basn6a16 ftbbn0g01 ftbbn0g02 " +
    "ftbbn0g04 ftbbn2c16 ftbbn3p08 ftbgn2c16 ftbgn3p08 ftbrn2c08 ftbwn0g16 ftbwn3p08 ftbyn3p08 ftp0n0g08 ftp0n2c08 " +
    "ftp0n3p08 ftp1n3p08",
);

const LARGE = [
  ...expand("jpg", "1080_base 12mp_444 12mp_base 12mp_prog 24mp_base 24mp_prog"),
  ...expand("png", "1080_inter 1080_rgb 12mp_pal"),
  ...expand("webp", "1080_ll 12mp_lossy"),
];

/** Every file of these folders. */
export const CORPUS: Readonly<Record<string, readonly string[]>> = {
  variants: [...JPEG, ...PNG, ...WEBP, ...GIF, ...BMP],
  pngsuite: PNGSUITE,
  large: LARGE,
};

/**
 * Files that break off, and how much of each is missing; Pillow was told to load them all the same. A progressive file
 * has all of its rows: there it is the share of the bits of its coefficients.
 */
export const TRUNCATED: Readonly<Record<string, number>> = {
  "trunc.png": 0.403,
  "trunc60.jpg": 0.411,
  "truncprog.jpg": 0.116,
  "go-v.progressive.truncated.jpg": 0.374,
};
