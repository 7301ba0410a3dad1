import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';
import {
  LedgerError,
  memberOfSource,
  problem,
  PROVABLE_NUMBERS,
  type AppealProof,
  type CodeChannel,
  type Identity,
  type IdentificationRequest,
  type ProvableNumber,
  type SignedStatement,
} from '@liandun/contracts';
import { emailOf, nameOf, phoneOf, Vault, type OpenedEntry } from '@liandun/vault';
import {
  beginIdentification,
  entriesWith,
  noteSent,
  noteSigned,
  provenSubject,
  redeemCode,
  type ProvenSubject,
} from '@liandun/views';
import type { Logger } from 'pino';
import type { CodeSender } from './code-sender.js';
import { Door } from './pools.js';
import { ProblemError, refuseField } from './problems.js';
import type { SignedStatements } from './signed-statements.js';

const CODES = 1_000_000;
const TOKEN_BYTES = 32;
const HOUR_SECONDS = 3_600;
/** Entries that a contact is looked for in. */
const ENTRIES_MAX = 500;
const MOBILE = /^1[3-9][0-9]{9}$/;

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** The one number that a request names. Throws EXACTLY_ONE. */
function numberOf(request: IdentificationRequest): { kind: ProvableNumber; value: string } {
  const given = PROVABLE_NUMBERS.filter((kind) => request[kind] !== undefined);
  const [kind] = given;
  if (given.length !== 1 || kind === undefined) throw refuseField('EXACTLY_ONE', `/${given[1] ?? 'uscc'}`);
  return { kind, value: request[kind] as string };
}

/** What was erased is a commitment, no text. */
const texts = (list: unknown[]): string[] => list.filter((item) => typeof item === 'string');

const contactsOf = (channel: CodeChannel, { phones = [], emails = [] }: Identity): string[] => {
  const found =
    channel === 'email'
      ? texts(emails).map(emailOf)
      : texts(phones)
          .map(phoneOf)
          .filter((to) => MOBILE.test(to ?? ''));
  return [...new Set(found.filter((to) => to !== undefined))];
};

/** An entry is the named one's where it calls the subject, or who acts for it, by that name. */
const calls = ({ name, legalRepresentative }: Identity, wanted: string): boolean =>
  [name, legalRepresentative?.name].some((held) => nameOf(held) === nameOf(wanted));

/**
 * Where a code goes: the contact that most members reported of the very subject, of several the one that was reported first. So no
 * single member can put a contact of its own in the place of one that others know. Pure.
 */
export function contactOf(
  channel: CodeChannel,
  name: string,
  entries: ReadonlyMap<number, Pick<OpenedEntry, 'source' | 'data'>>,
): string | undefined {
  const reporters = new Map<string, Set<string>>();
  for (const [, { source, data }] of [...entries].toSorted(([a], [b]) => a - b)) {
    if (!calls(data.identity, name)) continue;
    for (const to of contactsOf(channel, data.identity)) {
      const known = reporters.get(to) ?? new Set();
      reporters.set(to, known.add(memberOfSource(source) ?? source));
    }
  }
  let best: string | undefined;
  for (const [to, members] of reporters)
    if (best === undefined || members.size > (reporters.get(best)?.size ?? 0)) best = to;
  return best;
}

/**
 * What proves whom entries are about, without an account (rule P07): a code to a contact that members reported of him, or a statement
 * signed with a certificate that names his credit code.
 */
export class Identifications {
  readonly #sending = new Set<Promise<void>>();

  constructor(
    private readonly door: Door,
    private readonly vault: Vault,
    private readonly sender: CodeSender | undefined,
    private readonly logger: Logger,
    private readonly statements?: SignedStatements,
  ) {}

  /** In which ways a subject can prove who he is. */
  ways(): AppealProof[] {
    return [...(this.sender ? (['code'] as const) : []), ...(this.statements ? (['signedStatement'] as const) : [])];
  }

  /** A text to sign. Throws STATEMENTS_NOT_TAKEN. */
  challenge(uscc: string): { text: string; expiresAt: string } {
    return this.#requireStatements().challenge(uscc);
  }

  /**
   * A token for a signed text, once. Nothing is looked up: the same answer, as fast, whether the ledger holds something of that code or
   * not (rule P18). Throws STATEMENTS_NOT_TAKEN, STATEMENT_REFUSED.
   */
  async signed({ jws, text }: SignedStatement): Promise<{ token: string; expiresAt: Date }> {
    const { uscc, challengeId } = await this.#requireStatements().signer(jws, text);
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const expiresAt = await noteSigned(this.door.pool, {
      identificationId: challengeId,
      // Apart from codes: nobody's signature may use up what can be asked for by code.
      subject: this.vault.fingerprint(`signed uscc ${uscc}`),
      kind: 'uscc',
      tokens: this.#tokensOf('uscc', uscc).map((one) => one.token),
      token: sha256(token),
    });
    if (!expiresAt) throw refuseField('STATEMENT_REFUSED', '/jws/payload/challenge', 'STATEMENT_CHALLENGE');
    return { token, expiresAt };
  }

  /**
   * Takes a request for a code. It is answered before anything is looked up, so the answer and its time are the same whether the ledger
   * holds something of that number or not (rule P18). Throws IDENTIFICATIONS_SPENT, CODES_NOT_SENT.
   */
  async begin(request: IdentificationRequest): Promise<{ identificationId: string; expiresAt: Date }> {
    const { kind, value } = numberOf(request);
    if (!this.sender) throw new LedgerError('CODES_NOT_SENT');
    const tokens = this.#tokensOf(kind, value);
    if (tokens.length === 0) throw refuseField('INVALID_REQUEST', `/${kind}`, 'INVALID_FORMAT');
    const identificationId = randomUUID();
    const code = randomInt(CODES).toString().padStart(6, '0');
    const expiresAt = await beginIdentification(this.door.pool, {
      identificationId,
      subject: this.vault.fingerprint(`identified ${kind} ${value}`),
      kind,
      tokens: tokens.map(({ token }) => token),
      code: this.#digest(identificationId, code),
    });
    if (!expiresAt) throw new ProblemError(problem('IDENTIFICATIONS_SPENT'), HOUR_SECONDS);
    const sending = this.#send(identificationId, request, tokens, { code, expiresAt }).catch((error: unknown) => {
      // Neither the code nor whom it was for: messages of the database can quote values.
      const { name, code: cause } = error as { name?: string; code?: string };
      this.logger.error({ name, cause }, 'a code was not sent');
    });
    this.#sending.add(sending);
    void sending.then(() => this.#sending.delete(sending));
    return { identificationId, expiresAt };
  }

  /** A token for the right code, once. Throws CODE_REFUSED for any other, and where nothing was sent. */
  async redeem(identificationId: string, code: string): Promise<{ token: string; expiresAt: Date }> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const expiresAt = await redeemCode(this.door.pool, {
      identificationId,
      code: this.#digest(identificationId, code),
      token: sha256(token),
    });
    if (!expiresAt) throw new LedgerError('CODE_REFUSED');
    return { token, expiresAt };
  }

  /** Who proved it, as the ledger knows him now. Throws UNAUTHENTICATED. */
  async proven(token: string): Promise<ProvenSubject> {
    const subject = await provenSubject(this.door.pool, sha256(token));
    if (!subject) throw new LedgerError('UNAUTHENTICATED');
    return subject;
  }

  /** Waits for the codes that are on their way. */
  async close(): Promise<void> {
    await Promise.all(this.#sending);
  }

  async #send(
    identificationId: string,
    { name, channel }: IdentificationRequest,
    tokens: { kind: string; token: Buffer }[],
    message: { code: string; expiresAt: Date },
  ): Promise<void> {
    const { pool } = this.door;
    const hits = await entriesWith(pool, tokens);
    const positions = hits.slice(0, ENTRIES_MAX).map(({ position }) => position);
    const to = contactOf(channel, name, await this.vault.openEntries(pool, positions));
    // Before it goes out: whoever has it may redeem it at once.
    await noteSent(pool, identificationId, to !== undefined);
    if (to !== undefined) await this.sender?.send({ channel, to, ...message });
  }

  #tokensOf(kind: ProvableNumber, value: string): ReturnType<Vault['wanted']> {
    return this.vault.wanted({ [kind]: value }).filter((token) => token.kind === kind);
  }

  #requireStatements(): SignedStatements {
    if (!this.statements) throw new LedgerError('STATEMENTS_NOT_TAKEN');
    return this.statements;
  }

  #digest(identificationId: string, code: string): Buffer {
    return this.vault.fingerprint(`code ${identificationId} ${code}`);
  }
}
