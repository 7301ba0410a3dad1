import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './children.mjs';
import { Trouble } from './trouble.mjs';

const readyWithinMs = 60_000;

/** Starts one of the built programs and waits until it says over HTTP that it is ready; not where only a person can help. */
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
  for (let answer = await readiness(url); !answer.ok; answer = await readiness(url)) {
    if (answer.halt) throw new Trouble(`${answer.halt.code}: ${answer.halt.message}`, answer.halt.messageZh);
    if (how !== undefined) throw new Error(service.report(how));
    if (performance.now() > deadline) throw new Error(service.report(`not ready after ${readyWithinMs / 1000} s`));
    await sleep(50);
  }
  return service;
}

/** `halt`: the worker has looked, and the log can't be continued as it is. */
async function readiness(url) {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    const text = await answer.text();
    return { ok: answer.ok, halt: answer.ok ? undefined : haltIn(text) };
  } catch {
    return { ok: false };
  }
}

function haltIn(text) {
  try {
    return JSON.parse(text).parts?.find(({ name, healthy }) => name === 'log' && !healthy)?.detail;
  } catch {
    return undefined;
  }
}
