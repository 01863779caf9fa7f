/**
 * LangChain sends what a model is told to LangSmith when the environment says so. Here conversations are the tenants',
 * and telemetry is our own: the switches are off in every process that loads a model.
 */
for (const name of ['LANGSMITH_TRACING_V2', 'LANGCHAIN_TRACING_V2', 'LANGSMITH_TRACING']) process.env[name] = 'false'
/** Of this one LangChain asks only whether it is set: 'false' would make it carry callbacks through every step for nobody. */
delete process.env['LANGCHAIN_TRACING']
