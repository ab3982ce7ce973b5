"""The sharded description pipeline: fetches the texts that lists do not carry."""
