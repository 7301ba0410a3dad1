import {
  cosign,
  decideCosign,
  formatNote,
  formatSignatureLine,
  verifyNote,
  type AddCheckpoint,
  type SignerKey,
  type VerifierKey,
} from '@liandun/transparency-log';
import type { WitnessStore } from './store.js';

/** What has happened to a request, for the witness's operator. */
export type WitnessEvent =
  | { event: 'cosigned'; origin: string; size: number }
  /** The log has signed two trees of this size. */
  | { event: 'forked'; origin: string; size: number }
  /** No proof that this checkpoint goes on from the one of `cosignedSize`: a mistake of who asked, or a fork. */
  | { event: 'inconsistent'; origin: string; size: number; cosignedSize: number };

/** The answer to add-checkpoint (C2SP tlog-witness); `conflict` has the size that was cosigned. */
export type Answer =
  { status: 200; signature: string } | { status: 400 | 403 | 404 | 422; why: string } | { status: 409; size: number };

const STATUS = { unknownOrigin: 404, untrustedSignature: 403, oldSizeTooLarge: 400, inconsistent: 422 } as const;
const WHY = {
  unknownOrigin: 'This witness does not know the log',
  untrustedSignature: 'No key that this witness trusts for the log has signed',
  oldSizeTooLarge: 'The old size is larger than the checkpoint',
  inconsistent: 'The checkpoint does not go on from the one that was cosigned',
};

/** Cosigns the checkpoints of the logs that it trusts, each log's as one history that only grows. */
export class Witness {
  constructor(
    private readonly key: SignerKey,
    private readonly logs: readonly VerifierKey[],
    private readonly store: WitnessStore,
    private readonly tell: (event: WitnessEvent) => void,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Synchronous from reading to storing, and stored before it is answered: no two requests and no crash make it sign two histories. */
  add(request: AddCheckpoint): Answer {
    const { origin, size } = request.checkpoint;
    const keys = this.logs.filter(({ name }) => name === origin);
    const latest = this.store.newest(origin);
    const decision = decideCosign(keys.length > 0 ? { keys, ...(latest && { latest }) } : undefined, request);
    switch (decision.decision) {
      case 'cosign':
        return { status: 200, signature: this.cosign(request, keys, latest?.size) };
      case 'conflict':
        if (decision.forked) this.refuse(request, keys, true, decision.size);
        return { status: 409, size: decision.size };
      case 'refuse':
        if (decision.because === 'inconsistent') this.refuse(request, keys, decision.forked, latest?.size ?? 0);
        return { status: STATUS[decision.because], why: `${WHY[decision.because]}: ${origin}, ${size} entries` };
    }
  }

  private cosign({ checkpoint, note }: AddCheckpoint, keys: VerifierKey[], before: number | undefined): string {
    const { origin, size, rootHash } = checkpoint;
    const signature = cosign(note.text, this.key, Math.floor(this.now().getTime() / 1000));
    if (size !== before) {
      const signatures = [...verifyNote(note, keys).map((verified) => verified.signature), signature];
      this.store.cosigned(origin, { size, rootHash, note: formatNote({ text: note.text, signatures }) });
      this.tell({ event: 'cosigned', origin, size });
    }
    return formatSignatureLine(signature);
  }

  private refuse(
    { checkpoint, note }: AddCheckpoint,
    keys: VerifierKey[],
    forked: boolean,
    cosignedSize: number,
  ): void {
    const { origin, size, rootHash } = checkpoint;
    const signatures = verifyNote(note, keys).map((verified) => verified.signature);
    const seenAt = this.now().toISOString();
    const evidence = { size, rootHash, note: formatNote({ text: note.text, signatures }), forked, seenAt };
    if (!this.store.keepRefused(origin, evidence)) return;
    this.tell(forked ? { event: 'forked', origin, size } : { event: 'inconsistent', origin, size, cosignedSize });
  }
}
