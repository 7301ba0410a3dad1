export { authority, type Authority, type Issued } from './authority.js';
export { readAuthorities, readServerTls, type ServerTls, type TlsFiles } from './certificate.js';
export { TlsError } from './errors.js';
export { followCertificate } from './follow.js';
export { isLoopback, requireDatabaseTls, requireTls } from './loopback.js';
