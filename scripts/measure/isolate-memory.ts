/** Reads the memory use of an isolate through its inspector (Chrome DevTools Protocol). */
import WebSocket from "ws";

export interface IsolateMemory {
  /** The JS heap in use, and the buffers that JS objects hold outside of it, in MB. */
  readonly heap: number;
  /** All live WebAssembly memories, in MB. */
  readonly wasm: number;
}

const MB = 1 << 20;

export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: { result: unknown; error?: { message: string } }) => void>();
  #next = 0;
  #context = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const message = JSON.parse(String(data));
      if (message.method === "Runtime.executionContextCreated") this.#context = message.params.context.id;
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    });
  }

  /** @param address The host and port of workerd's inspector. */
  static async open(address: string): Promise<Inspector> {
    const response = await fetch(`http://${address}/json`);
    const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const inspector = new Inspector(socket);
    await inspector.#send("Runtime.enable");
    return inspector;
  }

  async #send<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    const id = ++this.#next;
    const answer = new Promise<{ result: unknown; error?: { message: string } }>((resolve) =>
      this.#waiting.set(id, resolve),
    );
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  /** The live memory: collects garbage first. */
  async memory(): Promise<IsolateMemory> {
    const prototype = await this.#send<{ result: { objectId: string } }>("Runtime.evaluate", {
      expression: "WebAssembly.Memory.prototype",
      contextId: this.#context,
      objectGroup: "memory",
    });
    // This call collects garbage, too.
    const { objects } = await this.#send<{ objects: { objectId: string } }>("Runtime.queryObjects", {
      prototypeObjectId: prototype.result.objectId,
      objectGroup: "memory",
    });
    const { result } = await this.#send<{ result: { value: number } }>("Runtime.callFunctionOn", {
      objectId: objects.objectId,
      functionDeclaration: "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }",
      returnByValue: true,
    });
    await this.#send("Runtime.releaseObjectGroup", { objectGroup: "memory" });
    return { heap: await this.heap(), wasm: result.value / MB };
  }

  /** The JS heap and the buffers that its objects hold, as they are: with what has not been collected yet. In MB. */
  async heap(): Promise<number> {
    const { usedSize, backingStorageSize = 0 } = await this.#send<{ usedSize: number; backingStorageSize?: number }>(
      "Runtime.getHeapUsage",
    );
    return (usedSize + backingStorageSize) / MB;
  }

  close(): void {
    this.#socket.close();
  }
}
