"""The service's rows: values as rows and back (`rows`), what a lane reads (`loading`) and writes (`writing`), what
the API asks (`queries`)."""
