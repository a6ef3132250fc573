"""The console: pages for people, made on the server from the same use cases as the API's."""
