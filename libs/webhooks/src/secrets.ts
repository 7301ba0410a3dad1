import { randomBytes } from 'node:crypto';
import { webhookKey, webhookPublicKey, webhookSecret, type WebhookKey } from '@liandun/sdk';
import type { Kms } from '@liandun/vault';
import type { Pool } from 'pg';

/** A member has so many live secrets at most: the one that signs from now on, and the one before while its receivers change over. */
export const SECRETS_MAX = 2;

const recordOf = (member: string, no: number): Buffer => Buffer.from(`webhook/${member}/${no}`);

export interface NewSecret {
  publicKey: string;
  /** `whsec_…`: shown once, to whoever made it. */
  secret: string;
  keyVersion: number;
  wrapped: Buffer;
}

/** A new random secret of a member, wrapped for this row alone. */
export function newSecret(kms: Kms, member: string, no: number): NewSecret {
  const seed = randomBytes(32);
  const { ed25519, secret } = webhookKey(seed);
  return {
    publicKey: webhookPublicKey(ed25519),
    secret: webhookSecret(secret),
    keyVersion: kms.keyVersion,
    wrapped: kms.wrap(seed, recordOf(member, no)),
  };
}

interface Row {
  member: string;
  no: number;
  key_version: number;
  wrapped: Buffer;
}

/** The keys that sign for a member now, the newest first. */
export async function liveKeys(pool: Pool, kms: Kms, member: string): Promise<WebhookKey[]> {
  const { rows } = await pool.query<Row>({
    name: 'webhook.keys',
    text: `select member, no, key_version, wrapped from webhook.secret
      where member = $1 and (expires_at is null or expires_at > clock_timestamp()) order by no desc`,
    values: [member],
  });
  return rows.map(({ no, key_version, wrapped }) => webhookKey(kms.unwrap(wrapped, key_version, recordOf(member, no))));
}

/** Wraps every live secret by the newest key-encryption key, and destroys those that have expired: then the older keys can go. */
export async function rewrapSecrets(pool: Pool, kms: Kms): Promise<void> {
  await pool.query('delete from webhook.secret where expires_at < now()');
  const { rows } = await pool.query<Row>(
    'select member, no, key_version, wrapped from webhook.secret where key_version <> $1',
    [kms.keyVersion],
  );
  for (const { member, no, key_version, wrapped } of rows) {
    const record = recordOf(member, no);
    const again = kms.wrap(kms.unwrap(wrapped, key_version, record), record);
    await pool.query(
      'update webhook.secret set wrapped = $3, key_version = $4 where member = $1 and no = $2 and wrapped = $5',
      [member, no, again, kms.keyVersion, wrapped],
    );
  }
}
