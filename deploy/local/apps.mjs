import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './children.mjs';

const readyWithinMs = 60_000;

/** Starts one of the built programs and waits until it says over HTTP that it is ready. */
export async function startApp({ name, app, url, env, home, root, args = [] }) {
  const script = `${root}dist/apps/${app}/src/main.js`;
  const service = start(name, process.execPath, ['--enable-source-maps', script, ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
    log: `${home}/${name}.log`,
  });
  let how;
  void service.ended.then((code) => (how = code));
  const deadline = performance.now() + readyWithinMs;
  while (!(await isReady(url))) {
    if (how !== undefined) throw new Error(service.report(how));
    if (performance.now() > deadline) throw new Error(service.report(`not ready after ${readyWithinMs / 1000} s`));
    await sleep(50);
  }
  return service;
}

async function isReady(url) {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
