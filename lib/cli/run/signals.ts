/**
 * Signals for a command that is run, and its end by one.
 *
 * Other work ends in good order at a signal (`until_signal.ts`). Here the command decides, so it is told, and coffer may
 * not even listen before the command was started.
 *
 * @module
 */

/**
 * What a terminal sends to every process in its foreground, the command included. Passing them on would tell the command
 * twice: programs take a second Ctrl-C for "at once".
 */
const FROM_TERMINAL: readonly Deno.Signal[] = ["SIGINT", "SIGQUIT", "SIGWINCH"];
const ALWAYS: readonly Deno.Signal[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"];
/** Windows sends them to every process of a console, and has no other way to send one. */
const WINDOWS: readonly Deno.Signal[] = ["SIGINT", "SIGBREAK"];

/** Signals that end a process without a dump of its memory, in which there would be secrets. */
const QUIET: readonly Deno.Signal[] = ["SIGHUP", "SIGINT", "SIGKILL", "SIGTERM", "SIGUSR1", "SIGUSR2"];

/** Hands signals on to a command, and keeps them from ending this process before the command has ended. */
export class SignalPass implements Disposable {
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #abandoned = Promise.withResolvers<void>();
  #child: Deno.ChildProcess | undefined;
  #ended = false;

  /** Resolves when a signal comes that the command is no longer there for. */
  get abandoned(): Promise<void> {
    return this.#abandoned.promise;
  }

  /**
   * From now on signals go to a command. Call it in the same turn in which that was started, and listen to none before:
   * with the first listener the runtime takes over other signals too, and what this process was told to ignore, as by
   * `nohup`, the command would not inherit as ignored any more.
   */
  attach(child: Deno.ChildProcess): void {
    this.#child = child;
    const end = () => this.#ended = true;
    void child.status.then(end, end);
    const terminal = onTerminal();
    if (Deno.build.os === "windows") {
      for (const signal of WINDOWS) this.#listen(signal, () => this.#arrived());
      return;
    }
    for (const signal of FROM_TERMINAL) this.#listen(signal, () => terminal ? this.#arrived() : this.#pass(signal));
    for (const signal of ALWAYS) this.#listen(signal, () => this.#pass(signal));
  }

  /** Leaves signals to do what they do by themselves. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }

  #listen(signal: Deno.Signal, listener: () => void): void {
    Deno.addSignalListener(signal, listener);
    this.#listeners.push([signal, listener]);
  }

  #pass(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
      this.#abandoned.resolve();
    }
  }

  /** What needs no passing on still tells that somebody wants an end. */
  #arrived(): void {
    if (this.#ended) this.#abandoned.resolve();
  }
}

/**
 * Ends this process as a signal ended the command, so that a shell sees what it would have seen without coffer: one that
 * runs a script stops it at a Ctrl-C only when the command died of it. Returns where that cannot be done.
 */
export async function dieOf(signal: Deno.Signal): Promise<void> {
  if (Deno.build.os === "windows" || !QUIET.includes(signal)) return;
  try {
    Deno.kill(Deno.pid, signal);
  } catch {
    return;
  }
  // It arrives by way of the runtime, a moment later; one that is ignored never does.
  await new Promise((resolve) => setTimeout(resolve, 500));
}

function onTerminal(): boolean {
  return Deno.stdin.isTerminal() || Deno.stdout.isTerminal() || Deno.stderr.isTerminal();
}
