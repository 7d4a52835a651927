/** Redraws an image that the browser can decode and the labeler cannot, such as HEIC in Safari and AVIF, as a JPEG. */
import { make } from "./dom.ts";

/** The longer side, in pixels: more than any model sees, and within the canvas limits of all browsers. */
const LONGEST_SIDE = 4096;
const QUALITY = 0.95;

/** @returns A JPEG with the orientation applied; undefined if the browser cannot decode the image either. */
export async function convertToJpeg(image: Blob): Promise<Blob | undefined> {
  const url = URL.createObjectURL(image);
  try {
    const picture = make("img", { src: url });
    await picture.decode();
    const { naturalWidth, naturalHeight } = picture;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(naturalWidth, naturalHeight));
    const canvas = make("canvas", { width: naturalWidth * scale, height: naturalHeight * scale });
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null || canvas.width * canvas.height === 0) return undefined;
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => {
      canvas.toBlob((blob) => resolve(blob ?? undefined), "image/jpeg", QUALITY);
    });
  } catch {
    return undefined;
  } finally {
    URL.revokeObjectURL(url);
  }
}
