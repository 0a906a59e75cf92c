"""The contracts: facts and commands by producer, topics, codec, schemas and examples."""
