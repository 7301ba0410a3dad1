import 'reflect-metadata';

export * from './asyncapi.js';
export * from './envelope.js';
export * from './erasure.js';
export * from './errors.js';
export * from './event-types.js';
export * from './identifiers.js';
export * from './ids.js';
export * from './notice.js';
export * from './openapi.js';
export * from './outcomes.js';
export * from './payloads.events.js';
export * from './personal-fields.js';
export * from './reason-codes.js';
export * from './submissions.js';
export * from './time.js';
export * from './validate.js';
export * from './working-days.js';
