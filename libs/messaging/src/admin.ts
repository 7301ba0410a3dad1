import { kafkaPrincipal } from '@liandun/contracts';
import { backoffMs, pause, within } from '@liandun/sdk';
import kafkajs, {
  type AclFilter,
  type AclOperationTypes as AclOperation,
  type AclResourceTypes as AclResource,
  type Admin,
  type ResourcePatternTypes as ResourcePattern,
} from 'kafkajs';
import { ledgerClient, type Brokers } from './brokers.js';

// Node finds only some of kafkajs's names for ES modules to import: these come with the whole.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** Lets one member, with one of its keys, do one thing on a topic, or on all groups whose name begins with a prefix. */
export interface Grant {
  memberId: string;
  kid: string;
  operation: 'read' | 'write';
  resource: { topic: string } | { group: string } | { groupPrefix: string };
}

export interface NewTopic {
  topic: string;
  /** How long records are kept, in milliseconds; -1 for ever. */
  retentionMs: number;
}

/** What the ledger administers in Kafka. */
export interface KafkaAdmin {
  topics(): Promise<string[]>;
  /** Creates topics of one partition, with the broker's default number of replicas; those that exist stay. */
  createTopics(topics: NewTopic[]): Promise<void>;
  /** Every grant to a member's key; rights that were given by other means and other principals are left out. */
  grants(): Promise<Grant[]>;
  grant(grants: Grant[]): Promise<void>;
  /** Takes effect with the next request, also on connections that are open. */
  revoke(grants: Grant[]): Promise<void>;
  /** Deletes the records of a topic before `offset`. */
  deleteRecords(topic: string, offset: string): Promise<void>;
  /** For each of these topics the offset that the group has committed; a topic without one is left out. */
  committed(groupId: string, topics: string[]): Promise<Map<string, string>>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 20_000;
const PRINCIPAL = 'User:';
const CREATE_TRIES = 8;
const NOT_THERE_YET = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/** Over the ledger's own listener; connects when first used, and again after a failure. */
export function kafkaAdmin(brokers: Brokers): KafkaAdmin {
  return new KafkajsAdmin(brokers);
}

class KafkajsAdmin implements KafkaAdmin {
  readonly #brokers: Brokers;
  #admin: Promise<Admin> | undefined;

  constructor(brokers: Brokers) {
    this.#brokers = brokers;
  }

  async topics(): Promise<string[]> {
    return this.#run('listing topics', async (admin) => admin.listTopics());
  }

  async createTopics(topics: NewTopic[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#createMissing(topics);
        return;
      } catch (error) {
        // A busy broker has created a topic some time before it names its leader; kafkajs gives up after half a second.
        if (tries === CREATE_TRIES || !NOT_THERE_YET.has((error as { type?: string }).type ?? '')) throw error;
        await pause(backoffMs(tries, 200, 2_000));
      }
    }
  }

  async grants(): Promise<Grant[]> {
    const { resources } = await this.#run('reading rights', async (admin) =>
      admin.describeAcls({ ...ANYTHING, resourceType: AclResourceTypes.ANY }),
    );
    return resources.flatMap(({ resourceType, resourceName, resourcePatternType, acls }) => {
      const resource = resourceOf(resourceType, resourceName, resourcePatternType);
      if (!resource) return [];
      return acls
        .filter(
          ({ principal, permissionType }) =>
            principal.startsWith(PRINCIPAL) && permissionType === AclPermissionTypes.ALLOW,
        )
        .flatMap(({ principal, operation: code }) => {
          const [memberId, kid] = principal.slice(PRINCIPAL.length).split('/');
          const operation = operationOf(code);
          return memberId && kid && operation ? [{ memberId, kid, operation, resource }] : [];
        });
    });
  }

  async grant(grants: Grant[]): Promise<void> {
    if (grants.length === 0) return;
    await this.#run('granting rights', async (admin) => {
      await admin.createAcls({ acl: grants.map((grant) => ({ ...entryOf(grant), host: '*' })) });
    });
  }

  async revoke(grants: Grant[]): Promise<void> {
    if (grants.length > 0) await this.#deleteAcls(grants.map(entryOf));
  }

  async deleteRecords(topic: string, offset: string): Promise<void> {
    await this.#run('deleting records', async (admin) => {
      // kafkajs looks the leader up in metadata that it has loaded for this topic only.
      await admin.fetchTopicMetadata({ topics: [topic] });
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });
    });
  }

  async committed(groupId: string, topics: string[]): Promise<Map<string, string>> {
    if (topics.length === 0) return new Map();
    const found = await this.#run('reading offsets', async (admin) => admin.fetchOffsets({ groupId, topics }));
    const offsets = found.map(({ topic, partitions }) => [topic, partitions[0]?.offset ?? '-1'] as const);
    return new Map(offsets.filter(([, offset]) => offset !== '-1'));
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    if (!admin) return;
    await within(
      2_000,
      'disconnecting',
      admin.then(async (connected) => connected.disconnect()),
    ).catch(() => undefined);
  }

  async #createMissing(topics: NewTopic[]): Promise<void> {
    const existing = new Set(await this.topics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return;
    await this.#run('creating topics', async (admin) => {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map(({ topic, retentionMs }) => ({
          topic,
          numPartitions: 1,
          configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
        })),
      });
    });
  }

  async #deleteAcls(filters: AclFilter[]): Promise<void> {
    const { filterResponses } = await this.#run('revoking rights', async (admin) => admin.deleteAcls({ filters }));
    const failed = filterResponses.find(({ errorCode }) => errorCode !== 0);
    if (failed) throw new Error(`Kafka did not revoke rights: ${failed.errorMessage ?? failed.errorCode}`);
  }

  async #run<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    this.#admin ??= this.#connect();
    try {
      const admin = await this.#admin;
      return await within(TIMEOUT_MS, what, work(admin));
    } catch (error) {
      await this.close(); // the next call starts from a fresh connection
      throw error;
    }
  }

  async #connect(): Promise<Admin> {
    const admin = ledgerClient(this.#brokers, 'liandun-admin').admin();
    await within(TIMEOUT_MS, 'connecting to Kafka', admin.connect());
    return admin;
  }
}

const ANYTHING = {
  resourcePatternType: ResourcePatternTypes.ANY,
  operation: AclOperationTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
};

function entryOf({ memberId, kid, operation, resource }: Grant) {
  return {
    principal: PRINCIPAL + kafkaPrincipal(memberId, kid),
    operation: operation === 'read' ? AclOperationTypes.READ : AclOperationTypes.WRITE,
    permissionType: AclPermissionTypes.ALLOW,
    ...namesOf(resource),
  };
}

function namesOf(resource: Grant['resource']) {
  const [type, name] =
    'topic' in resource
      ? [AclResourceTypes.TOPIC, resource.topic]
      : [AclResourceTypes.GROUP, 'group' in resource ? resource.group : resource.groupPrefix];
  const pattern = 'groupPrefix' in resource ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL;
  return { resourceType: type, resourceName: name, resourcePatternType: pattern };
}

function operationOf(operation: AclOperation): Grant['operation'] | undefined {
  if (operation === AclOperationTypes.READ) return 'read';
  return operation === AclOperationTypes.WRITE ? 'write' : undefined;
}

function resourceOf(type: AclResource, name: string, pattern: ResourcePattern): Grant['resource'] | undefined {
  if (type === AclResourceTypes.TOPIC && pattern === ResourcePatternTypes.LITERAL) return { topic: name };
  if (type === AclResourceTypes.GROUP && pattern === ResourcePatternTypes.LITERAL) return { group: name };
  if (type === AclResourceTypes.GROUP && pattern === ResourcePatternTypes.PREFIXED) return { groupPrefix: name };
  return undefined;
}
