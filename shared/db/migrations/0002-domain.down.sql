drop function runtime_tenants();
drop function runtime_api_key(bytea);
drop table audit_log, messages, conversations, guardrails, agent_tools, tools, agent_versions, agents, secrets, data_keys,
  api_keys, users, tenants;
