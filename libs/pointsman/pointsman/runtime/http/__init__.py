"""HTTP for every service: problems, limits, pages, long polls and streams, request ids, the common routes."""
