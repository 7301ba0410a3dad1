import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApp } from './apps.mjs';
import { writeWhole } from './keys.mjs';

/** Who runs the sandbox's witness: not the ledger's operator. */
const RUN_BY = 'regulator-beijing';
const cosignedWithinMs = 30_000;

/**
 * Starts the sandbox's witness on its own key and store, and writes the policy by which the ledger asks it.
 * @returns {Promise<{ service?: object, policy: string }>} the path of the policy; `given` where somebody else's is to be used
 */
export async function openWitness({ home, root, url, logVkey, tls, given }) {
  if (given) return { policy: given };
  const folder = `${home}/witness`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const options = {
    '--key': `${folder}/key.jwk`,
    '--store': `${folder}/store.db`,
    '--name': `${RUN_BY}.liandun.local/witness`,
    '--listen': new URL(url).host,
    '--log': logVkey,
    ...(tls && { '--tls-cert': tls.local.cert, '--tls-key': tls.local.key }),
  };
  const service = await startApp({
    name: 'witness',
    app: 'cli',
    url,
    home,
    root,
    env: {},
    args: ['witness', ...Object.entries(options).flat()],
  });
  const policy = `${home}/witnesses.policy`;
  await writeWhole(policy, policyText({ logVkey, vkey: await vkeyOf(url), url }));
  return { service, policy };
}

/** Waits until the ledger shows a checkpoint: at the very first start the witness has yet to cosign one. */
export async function untilCosigned(url) {
  const deadline = performance.now() + cosignedWithinMs;
  for (;;) {
    const answer = await fetch(`${url}/log/checkpoint`);
    await answer.arrayBuffer();
    if (answer.ok) return;
    if (performance.now() > deadline) throw new Error('the witness cosigns nothing: see witness.log and worker.log');
    await sleep(50);
  }
}

/** A witness says who it is. */
async function vkeyOf(url) {
  const answer = await fetch(`${url}/`);
  const [, vkey] = /^witness (\S+)$/m.exec(await answer.text()) ?? [];
  if (!vkey) throw new Error(`${url} is no witness`);
  return vkey;
}

const policyText = ({
  logVkey,
  vkey,
  url,
}) => `# Whose cosignatures a checkpoint needs before it is shown (C2SP tlog-policy).
log ${logVkey}
witness ${RUN_BY} ${vkey} ${url}
quorum ${RUN_BY}
`;
