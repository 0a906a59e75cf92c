"""The service's rows: values as rows and back (`rows`), what a lane reads (`reading`) and writes (`writing`)."""
