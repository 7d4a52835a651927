// A Worker that returns the pixels that the labeler decodes, which no route of the labeler does. It is JavaScript,
// since the types of scripts are Node's.
import { LabelerError } from "../../../worker/errors.ts";
import { decodeToInput } from "../../../worker/image/decode.ts";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";

export default {
  /** The query holds DecodeOptions as JSON, the body a file. */
  async fetch(request) {
    const options = JSON.parse(new URL(request.url).searchParams.get("options"));
    const bytes = new Uint8Array(await request.arrayBuffer());
    try {
      const { pixels } = await decodeToInput(new ByteStream([bytes]), { ...options, fileSize: bytes.length });
      return new Response(pixels);
    } catch (error) {
      if (!(error instanceof LabelerError)) throw error;
      return new Response(error.message, { status: 422 });
    }
  },
};
