"""What an image of a workspace is made with: its Dockerfile, and what runs while it is built."""
