/** The camera panel: shows what the camera sees and takes pictures of it. */
import { find } from "./dom.ts";

/** @param take Gets each picture. @param trouble Gets why there is no camera. */
export function setUpCamera(take: (picture: File) => void, trouble: (why: string) => void): void {
  const panel = find("#camera", HTMLElement);
  const video = find("#camera video", HTMLVideoElement);
  const open = find("#camera-open", HTMLButtonElement);
  const shoot = find("#shoot", HTMLButtonElement);
  let stream: MediaStream | undefined;
  let count = 0;

  const close = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    panel.hidden = true;
    open.focus();
  };

  open.addEventListener("click", async () => {
    if (navigator.mediaDevices === undefined) {
      trouble("Browsers allow the camera only on pages that are served over HTTPS or from this machine.");
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      panel.hidden = false;
      await video.play();
      shoot.focus();
    } catch (error) {
      trouble(`The camera cannot be used: ${(error as Error).message}`);
    }
  });
  find("#camera-close", HTMLButtonElement).addEventListener("click", close);
  shoot.addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    canvas.toBlob(
      (blob) => {
        if (blob === null) trouble("The camera does not have a picture yet. Try again.");
        else take(new File([blob], `camera-${++count}.jpg`, { type: blob.type }));
      },
      "image/jpeg",
      0.92,
    );
  });
}
