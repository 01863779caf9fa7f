import { AgentToolEntity } from './entities/agent-tool.ts'
import { AgentVersionEntity } from './entities/agent-version.ts'
import { AgentEntity } from './entities/agent.ts'
import { ApiKeyEntity } from './entities/api-key.ts'
import { AuditEntryEntity } from './entities/audit-entry.ts'
import { BlobRemovalEntity } from './entities/blob-removal.ts'
import { BlobEntity } from './entities/blob.ts'
import { ChunkVectorEntity } from './entities/chunk-vector.ts'
import { ChunkEntity } from './entities/chunk.ts'
import { CollectionEntity } from './entities/collection.ts'
import { ConversationEntity } from './entities/conversation.ts'
import { CuratedAnswerEntity } from './entities/curated-answer.ts'
import { DataKeyEntity } from './entities/data-key.ts'
import { DeadLetterEntity } from './entities/dead-letter.ts'
import { DocumentPageEntity } from './entities/document-page.ts'
import { DocumentVersionEntity } from './entities/document-version.ts'
import { DocumentEntity } from './entities/document.ts'
import { EffectEntity } from './entities/effect.ts'
import { FeedbackEntity } from './entities/feedback.ts'
import { GenerationEntity } from './entities/generation.ts'
import { GoldenQuestionEntity } from './entities/golden-question.ts'
import { GoldenRunEntity } from './entities/golden-run.ts'
import { GuardrailEntity } from './entities/guardrail.ts'
import { MessageEntity } from './entities/message.ts'
import { NoteEntity } from './entities/note.ts'
import { PostingEntity } from './entities/posting.ts'
import { QueryLogEntryEntity } from './entities/query-log-entry.ts'
import { ReadMarkEntity } from './entities/read-mark.ts'
import { ReviewItemEntity } from './entities/review-item.ts'
import { RunEntity } from './entities/run.ts'
import { SecretEntity } from './entities/secret.ts'
import { SpendingEntity } from './entities/spending.ts'
import { TeamMemberEntity } from './entities/team-member.ts'
import { TeamEntity } from './entities/team.ts'
import { TenantEntity } from './entities/tenant.ts'
import { ToolEntity } from './entities/tool.ts'
import { UnansweredQuestionEntity } from './entities/unanswered-question.ts'
import { UploadEntity } from './entities/upload.ts'
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
  BlobEntity,
  BlobRemovalEntity,
  ChunkEntity,
  ChunkVectorEntity,
  CollectionEntity,
  ConversationEntity,
  CuratedAnswerEntity,
  DataKeyEntity,
  DeadLetterEntity,
  DocumentEntity,
  DocumentPageEntity,
  DocumentVersionEntity,
  EffectEntity,
  FeedbackEntity,
  GenerationEntity,
  GoldenQuestionEntity,
  GoldenRunEntity,
  GuardrailEntity,
  MessageEntity,
  NoteEntity,
  PostingEntity,
  QueryLogEntryEntity,
  ReadMarkEntity,
  ReviewItemEntity,
  RunEntity,
  SecretEntity,
  SpendingEntity,
  TeamEntity,
  TeamMemberEntity,
  TenantEntity,
  ToolEntity,
  UnansweredQuestionEntity,
  UploadEntity,
  UserEntity,
] as const
