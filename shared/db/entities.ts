import { AgentEntity } from './entities/agent.ts'
import { AgentToolEntity } from './entities/agent-tool.ts'
import { AgentVersionEntity } from './entities/agent-version.ts'
import { ApiKeyEntity } from './entities/api-key.ts'
import { AuditEntryEntity } from './entities/audit-entry.ts'
import { ChunkVectorEntity } from './entities/chunk-vector.ts'
import { ConversationEntity } from './entities/conversation.ts'
import { DataKeyEntity } from './entities/data-key.ts'
import { DeadLetterEntity } from './entities/dead-letter.ts'
import { EffectEntity } from './entities/effect.ts'
import { FeedbackEntity } from './entities/feedback.ts'
import { GuardrailEntity } from './entities/guardrail.ts'
import { MessageEntity } from './entities/message.ts'
import { NoteEntity } from './entities/note.ts'
import { ReadMarkEntity } from './entities/read-mark.ts'
import { ReviewItemEntity } from './entities/review-item.ts'
import { RunEntity } from './entities/run.ts'
import { SecretEntity } from './entities/secret.ts'
import { SpendingEntity } from './entities/spending.ts'
import { TeamEntity } from './entities/team.ts'
import { TeamMemberEntity } from './entities/team-member.ts'
import { TenantEntity } from './entities/tenant.ts'
import { ToolEntity } from './entities/tool.ts'
import { UserEntity } from './entities/user.ts'

/**
 * Every table that a tenant can reach, as an entity: an explicit list, for MikroORM's search for files guesses from the
 * command line whether it runs TypeScript. A test compares it with the catalogue of the database, column by column.
 */
export const ENTITIES = [
  AgentEntity,
  AgentToolEntity,
  AgentVersionEntity,
  ApiKeyEntity,
  AuditEntryEntity,
  ChunkVectorEntity,
  ConversationEntity,
  DataKeyEntity,
  DeadLetterEntity,
  EffectEntity,
  FeedbackEntity,
  GuardrailEntity,
  MessageEntity,
  NoteEntity,
  ReadMarkEntity,
  ReviewItemEntity,
  RunEntity,
  SecretEntity,
  SpendingEntity,
  TeamEntity,
  TeamMemberEntity,
  TenantEntity,
  ToolEntity,
  UserEntity,
] as const
