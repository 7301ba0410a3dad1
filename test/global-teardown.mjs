import { rm } from 'node:fs/promises';
import { stopAll } from '../deploy/local/children.mjs';

export default async function tearDown() {
  await stopAll();
  if (globalThis.testServices) await rm(globalThis.testServices, { recursive: true, force: true });
}
