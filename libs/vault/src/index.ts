export * from './keys.js';
export * from './kms.js';
export * from './migrations.js';
export * from './rider.js';
export * from './sealing.js';
export * from './separate.js';
export * from './tokens.js';
export * from './vault.js';
