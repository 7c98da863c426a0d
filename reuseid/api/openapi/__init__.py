"""What the OpenAPI document says beyond the views and bodies that it is made from."""
