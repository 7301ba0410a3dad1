// By SQLSTATE class: connection, rollback (serialization, deadlock), resources, lock not available, cancelled or shut down;
// and the errors of sockets, Node's own too.
const CONNECTION = /^(08...|57P0.|E[A-Z]{3,}|ERR_(STREAM|SOCKET)_.+)$/;
const TRANSIENT = /^(08...|40...|53...|55P03|57...|25P03|E[A-Z]{3,}|ERR_(STREAM|SOCKET)_.+)$/;

/** Whether the connection is gone, so that the outcome of what was under way is unknown. */
export function isConnectionError(error: unknown): boolean {
  return hasCode(error, CONNECTION) || isBroken(error);
}

/** Whether the same work may well succeed when it is tried again. An error may say so itself: `{ transient: true }`. */
export function isTransient(error: unknown): boolean {
  if ((error as { transient?: unknown } | null)?.transient === true) return true;
  return hasCode(error, TRANSIENT) || isBroken(error);
}

function hasCode(error: unknown, codes: RegExp): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && codes.test(code);
}

/** pg's own errors about a connection carry no code. */
function isBroken(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(
      error.message,
    )
  );
}
