import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { isLoopback } from '@liandun/tls';
import type { Context } from '../context.js';
import type { Check, Finding } from './doctor-checks.js';

const WAIT_MS = 5_000;
const DAY_MS = 86_400_000;
// Whoever renews by hand has to be told before the last working days.
const DAYS_LEFT_MIN = 21;

/** The ledger's certificate as a client meets it: trusted, for this name, and for how long; plain HTTP only on loopback. */
export function tlsCheck(context: Context): Check {
  const t = context.t.bind(context);
  return {
    name: 'tls',
    needs: ['env'],
    remedy: t(
      "Not trusted: name its authority with --ca FILE or LIANDUN_CA. Expired or another name: the ledger's operator renews it.",
      '不受信任：请用 --ca 文件 或 LIANDUN_CA 指定签发 CA。过期或名称不符：请账本运营方更新证书。',
    ),
    examine: async () => {
      const { protocol, hostname, port } = new URL(context.url());
      if (protocol !== 'https:') return plain(context, hostname);
      const socket = await open(hostname.replace(/^\[(.*)\]$/, '$1'), Number(port || 443));
      try {
        return found(context, socket);
      } finally {
        socket.destroy();
      }
    },
  };
}

function plain(context: Context, hostname: string): Omit<Finding, 'name'> {
  if (isLoopback(hostname)) return { status: 'ok', detail: context.t('none: loopback', '无：本机回环地址') };
  return {
    status: 'fail',
    detail: context.t(`${hostname} is spoken to in the clear`, `与 ${hostname} 的通信未加密`),
    remedy: context.t('Set LIANDUN_URL to its https:// address.', '请将 LIANDUN_URL 设为其 https:// 地址。'),
  };
}

/** Connects as any client would: what is not trusted is an error here too. */
async function open(host: string, port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...(isIP(host) ? {} : { servername: host }) }, () => resolve(socket));
    socket.setTimeout(WAIT_MS, () => socket.destroy(new Error(`no answer within ${WAIT_MS / 1000} s`)));
    socket.on('error', reject);
  });
}

function found(context: Context, socket: TLSSocket): Omit<Finding, 'name'> {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) throw new Error(context.t('no certificate', '没有证书'));
  const { validToDate, issuer } = certificate;
  const days = Math.floor((validToDate.getTime() - Date.now()) / DAY_MS);
  const until = validToDate.toISOString().slice(0, 10);
  const detail = context.t(
    `${socket.getProtocol()}, until ${until} (${days} days), issued by ${issuer.replaceAll('\n', ', ')}`,
    `${socket.getProtocol()}，有效期至 ${until}（还有 ${days} 天），签发者 ${issuer.replaceAll('\n', ', ')}`,
  );
  if (days >= DAYS_LEFT_MIN) return { status: 'ok', detail };
  const remedy = context.t(
    'The certificate ends soon: its operator replaces the files; the ledger takes them without a restart.',
    '证书即将到期：请运营方替换证书文件，账本无需重启即可生效。',
  );
  return { status: 'warn', detail, remedy };
}
