import 'reflect-metadata';

export * from './envelope.js';
export * from './event-types.js';
export * from './notice.js';
export * from './outcomes.js';
export * from './payloads.events.js';
